"""For tests, this package's and others': small overclouds, a small catalogue, and an undercloud that is only memory."""

from tripleo_update_plugin.testing.overclouds import RELEASES, Role, a_catalogue, an_overcloud, stack_outputs
from tripleo_update_plugin.testing.undercloud import FakeHeat, FakeMistral

__all__ = ["RELEASES", "FakeHeat", "FakeMistral", "Role", "a_catalogue", "an_overcloud", "stack_outputs"]
