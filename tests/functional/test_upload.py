"""Large plans: uploaded in seconds, started, and refused before upload where something is wrong with them."""

from dataclasses import replace

import pytest
from conftest import Sandbox
from mistralclient.api.client import client as mistral_client

from tripleo_update_plugin import rollout
from tripleo_update_plugin.adapters import workbook_files
from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.errors import BadPlan, MistralUnavailable
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import a_catalogue, an_overcloud
from tripleo_update_plugin.workflows import workbook

pytestmark = pytest.mark.functional


@pytest.fixture
def client(sandbox: Sandbox):
    return mistral_client(mistral_url=sandbox.status["mistral"]["url"], auth_type="none", project_id="admin")


@pytest.fixture(scope="module")
def large():
    """A plan of 300 batches."""
    overcloud = an_overcloud(stack="large", Compute=(300, ["nova_compute"]))
    policy = parse_policy({"budgets": {"nova_compute": 1}})
    return plan_update(overcloud, a_catalogue(), policy, Facts())


def test_a_large_plan_is_uploaded_and_starts(client, large):
    mistral = Mistral(client)
    id = rollout.start(large, mistral)
    try:
        assert mistral.execution(id, phases=False).batches[0].id == large.batches[0].id
        name = workbook.workbook_name(large)
        assert client.workbooks.get(name).definition == workbook.to_yaml(workbook.render(large))
        assert mistral.load_plan(name) == large.to_dict()
    finally:
        client.executions.update(id, "CANCELLED")
    # A second time the workbook is there and is replaced.
    assert rollout.upload(large, mistral) == workbook.workflow_name(large)


def test_what_the_server_s_parser_refuses_is_not_uploaded(client, large):
    mistral = Mistral(client)

    def in_a_language_of_the_future(definition):
        mistral.validate(definition.replace("version: '2.0'", "version: '9.0'"))

    with pytest.raises(BadPlan, match="Mistral refuses"):
        workbook_files.checked_definition(workbook.render(large), in_a_language_of_the_future)


def test_a_spoilt_workbook_is_not_uploaded(client, large):
    spoilt = replace(large, stack="spoilt")
    book = workbook.render(spoilt)
    list(book["workflows"]["update"]["tasks"].values())[200]["join"] = "some"
    with pytest.raises(BadPlan, match="not as it must be"):
        workbook_files.checked_definition(book, Mistral(client).validate)
    assert not [book for book in client.workbooks.list() if "spoilt" in book.name]


def test_without_the_promise_that_it_is_validated_the_server_judges_itself(client, large):
    book = workbook.render(replace(large, stack="judged", batches=large.batches[:3]))
    list(book["workflows"]["update"]["tasks"].values())[1]["join"] = "some"
    with pytest.raises(MistralUnavailable, match="'some' is not valid"):
        Mistral(client).upload(book["name"], workbook.to_yaml(book))
    assert not [book for book in client.workbooks.list() if "judged" in book.name]
