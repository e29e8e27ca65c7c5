"""How is all of a listing read, however long it is?

Mistral answers at most ``[api] max_limit`` entries (1000 unless configured), and says with a link that there are more;
mistralclient's own lists pass over that link.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode


def everything(manager: Any, path: str, **query: str) -> Iterator[Any]:
    """All resources at *path*, as mistralclient's *manager* makes them, page by page; *query* are Mistral's filters."""
    key = path.rsplit("/", 1)[1]
    marker: dict[str, str] = {}
    while True:
        answer = manager.http_client.get(f"{path}?{urlencode({**query, **marker})}").json()
        entries = answer[key]
        yield from (manager.resource_class(manager, entry) for entry in entries)
        if not answer.get("next") or not entries:
            return
        marker = {"marker": entries[-1]["id"]}
