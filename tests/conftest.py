"""Random tests are the same on every run; HYPOTHESIS_PROFILE=thorough tries other and many more cases."""

import os
from importlib import import_module, util
from pathlib import Path

from hypothesis import HealthCheck, settings

import tripleo_update_plugin

if util.find_spec("ansible"):
    # Modules of ours that a test imports find what they share where Ansible would put it. Pure tests have no Ansible.
    shared = Path(tripleo_update_plugin.__file__).parent / "module_utils"
    import_module("ansible.module_utils").__path__.append(str(shared))

patient = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile(
    "core", derandomize=True, deadline=None, max_examples=40, database=None, suppress_health_check=patient
)
settings.register_profile("thorough", deadline=None, max_examples=1500, database=None, suppress_health_check=patient)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "core"))


def pytest_addoption(parser):
    parser.addoption("--update-scenarios", action="store_true", help="write plan.txt and workbook.yaml anew")
