"""How is all of a listing read, however long it is?

Mistral answers at most ``[api] max_limit`` entries (1000 unless configured), and says with a link that there are more;
mistralclient's own lists pass over that link.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode


def everything(manager: Any, path: str, **query: str) -> Iterator[Any]:
    """All resources at *path*, as mistralclient's *manager* makes them; *query* are Mistral's filters."""
    marker: dict[str, str] = {}
    while True:
        entries, is_last = page(manager, path, **query, **marker)
        yield from entries
        if is_last:
            return
        marker = {"marker": entries[-1].id}


def page(manager: Any, path: str, **query: str) -> tuple[list[Any], bool]:
    """The first resources at *path*, and whether these are all there are."""
    answer = manager.http_client.get(f"{path}?{urlencode(query)}").json()
    entries = [manager.resource_class(manager, entry) for entry in answer[path.rsplit("/", 1)[1]]]
    return entries, not (entries and answer.get("next"))
