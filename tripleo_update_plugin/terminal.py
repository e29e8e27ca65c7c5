"""What may be shown on a terminal?

Names, reasons and errors come from outputs, nodes and files, where anything may stand, and a terminal obeys what it
reads: an escape sequence can hide a line, fake another one, or answer for the person who reads.
"""

import re

#: Control characters but tabs and new lines, and what turns the direction of text around.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""*text* with what a terminal would obey written out.

    >>> printable("all is \x1b[32mwell"), printable("two\nlines")
    ('all is \\x1b[32mwell', 'two\nlines')
    """
    return _OBEYED.sub(lambda found: found.group().encode("unicode_escape").decode(), text)
