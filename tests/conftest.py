"""Random tests are the same on every run; HYPOTHESIS_PROFILE=thorough tries other and many more cases."""

import os

from hypothesis import HealthCheck, settings

patient = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile(
    "core", derandomize=True, deadline=None, max_examples=40, database=None, suppress_health_check=patient
)
settings.register_profile("thorough", deadline=None, max_examples=1500, database=None, suppress_health_check=patient)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "core"))


def pytest_addoption(parser):
    parser.addoption("--update-scenarios", action="store_true", help="write plan.txt and workbook.yaml anew")
