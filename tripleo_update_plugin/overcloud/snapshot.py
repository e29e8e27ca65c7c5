"""What does planning read of an overcloud? All of it in one value, which can be written to a file."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tripleo_update_plugin.overcloud import outputs
from tripleo_update_plugin.overcloud.architecture import PerService
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.overcloud.model import Overcloud


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An overcloud as it was read at one time.

    ``services`` is each service's own data, {role: {service: role_data}}, and ``facts`` what the nodes said; None where
    nobody asked. ``digest`` and ``digests`` are those of the outputs as Heat has them: an export keeps only an extract
    of the outputs, and a plan made from it is bound to the whole.
    """

    stack: str
    outputs: Mapping[str, Any]
    services: PerService | None = None
    facts: Facts | None = None
    digest: str
    digests: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, stack: str, found: Mapping[str, Any], services: PerService | None = None) -> "Snapshot":
        """A snapshot of whole outputs. Raises BadOutputs."""
        whole = outputs.with_service_chains(found, services)
        digest, digests = outputs.digest(whole), outputs.digests(whole)
        return cls(stack=stack, outputs=whole, services=services, digest=digest, digests=digests)

    def overcloud(self) -> Overcloud:
        """What the outputs describe. Raises BadOutputs."""
        overcloud = outputs.parse(self.outputs, self.stack, self.services)
        return dataclasses.replace(overcloud, digest=self.digest)
