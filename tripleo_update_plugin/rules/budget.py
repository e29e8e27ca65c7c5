"""How many replicas of a service may be down at once? A number, a percentage, or a rule that has a name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: Rules by name: replicas n → how many of them may be down.
RULES: Mapping[str, Callable[[int], int]] = {
    "quorum": lambda n: max((n - 1) // 2, 0),
    "half": lambda n: max(min(n // 2, n - 1), 0),
    "all-but-one": lambda n: max(n - 1, 0),
    # Half of them. Where there is only one it may go: only the node that it is on misses it.
    "agents": lambda n: max(n // 2, 1),
    "unlimited": lambda n: n,
}


@dataclass(frozen=True, slots=True)
class Percent:
    """A share of the replicas; rounds down, but never below one.

    >>> Percent(25).of(10), Percent(1).of(10)
    (2, 1)
    """

    value: int

    def of(self, n: int) -> int:
        """How many of *n* replicas may be down."""
        return max(n * self.value // 100, 1)

    def __str__(self) -> str:
        return f"{self.value}%"


@dataclass(frozen=True, slots=True)
class Rule:
    """One of RULES, by name.

    >>> Rule("quorum").of(5)
    2
    """

    name: str

    def of(self, n: int) -> int:
        """How many of *n* replicas may be down."""
        return RULES[self.name](n)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Count:
    """A plain number, at most the replicas there are.

    >>> Count(25).of(3)
    3
    """

    value: int

    def of(self, n: int) -> int:
        """How many of *n* replicas may be down."""
        return min(self.value, n)

    def __str__(self) -> str:
        return str(self.value)


Budget = Count | Percent | Rule


def parse_budget(value: object) -> Budget:
    """The budget that ``1``, ``"25%"`` or the name of one of RULES stands for. ValueError, with the reason, for others.

    >>> parse_budget("25%")
    Percent(value=25)
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Count(value)
    if isinstance(value, str):
        text = value.strip()
        if text in RULES:
            return Rule(text)
        digits = text.removesuffix("%").strip()
        if text.endswith("%") and digits.isdecimal() and 0 < int(digits) <= 100:
            return Percent(int(digits))
    raise ValueError(f"{value!r} is neither a number, nor a percentage from 1% to 100%, nor one of {', '.join(RULES)}")
