"""What is the address of a node, and when are two texts the same address?

Addresses come from outputs, where anything may stand, and go into inventories, arguments and connections. An IPv6
address may have a zone (``fe80::1%eth0``), and what stands behind the % is any text, a template of Jinja too. So one
with a zone is no address here.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from tripleo_update_plugin.errors import BadOutputs


def parsed(text: object) -> IPv4Address | IPv6Address | None:
    """The address that *text* is, without a zone; None if it is none. ``::ffff:10.0.0.1`` is 10.0.0.1."""
    if not isinstance(text, str):
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return None if address.scope_id is not None else address.ipv4_mapped or address
    return address


def is_address(text: object) -> bool:
    """Whether *text* is an IP address, of version 4 or 6, without a zone."""
    return parsed(text) is not None


def canonical(text: str) -> str:
    """The one spelling of an address, by which two of them are compared; *text* itself if it is none.

    >>> canonical("2001:DB8:0:0:0::5"), canonical("10.0.0.1")
    ('2001:db8::5', '10.0.0.1')
    """
    address = parsed(text)
    return text if address is None else str(address)


def address_of(output: str, owner: str, address: object) -> str:
    """*address* in its one spelling, "" for none. BadOutputs for what cannot be the address of a machine.

    *output* is where it stands, *owner* whose address it is; both are for the error.
    """
    if address is None or address == "":
        return ""
    found = parsed(address)
    problem = "which is not an IP address" if found is None else _problem(found)
    if problem:
        raise BadOutputs(f"{output} has {address!r:.100} for {owner}, {problem}; nothing with it is run")
    return str(found)


def _problem(address: IPv4Address | IPv6Address) -> str:
    """Why no machine can be reached at it from another one; "" if nothing is against it."""
    if address.is_unspecified:
        return "which stands for no address at all"
    if address.is_loopback:
        return "which every machine has for itself"
    if address.is_multicast or (address.version == 4 and address.is_reserved):
        return "which is no address of a single machine"
    return ""


def check_apart(owners: Iterable[tuple[str, str]], vips: Iterable[str]) -> None:
    """Raise BadOutputs where two of *owners*, (name, canonical address), share an address, or one has that of a VIP.

    What has no address ("") is left out. The only node of an overcloud may have its VIPs for itself: nothing moves.
    """
    seen: dict[str, str] = {}
    for name, address in owners:
        if address and (other := seen.setdefault(address, name)) != name:
            raise BadOutputs(f"{other} and {name} have the same address {address}: one of them would be updated twice")
    if len(seen) < 2:
        return
    for vip in map(canonical, vips):
        if vip in seen:
            raise BadOutputs(
                f"{seen[vip]} has the address {vip}, which VipMap has for a virtual one: it may be another node's soon"
            )
