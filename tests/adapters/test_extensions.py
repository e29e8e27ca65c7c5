import pytest
from stevedore import ExtensionManager

from tripleo_update_plugin.adapters import extensions
from tripleo_update_plugin.errors import BadProfile
from tripleo_update_plugin.rules.budget import Count, Rule

WHY = "why: it is made for a test"


@pytest.fixture
def folder(tmp_path):
    def made(**files):
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        return str(tmp_path)

    return made


def test_the_built_in_catalogue_is_found():
    catalogue = extensions.load_catalogue()
    assert catalogue.profile("mysql").kind == "quorum"
    assert catalogue.knows("nova_compute")


def test_a_service_nobody_described_goes_one_at_a_time():
    profile = extensions.load_catalogue().profile("homemade")
    assert (profile.kind, profile.budget) == ("unknown", Count(1))


def test_a_folder_adds_and_replaces(folder):
    homemade = f"homemade: {{kind: agent, max_unavailable: half, {WHY}}}\n"
    redis = f"redis: {{kind: stateless, after: [mysql], {WHY}}}\n"
    catalogue = extensions.load_catalogue(folder(mine=homemade + redis))
    assert catalogue.profile("homemade").budget == Rule("half")
    assert (catalogue.profile("redis").kind, catalogue.profile("redis").after) == ("stateless", ("mysql",))
    assert catalogue.profile("mysql") == extensions.load_catalogue().profile("mysql")


def test_of_two_folders_the_later_wins(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.yml").write_text(f"homemade: {{kind: worker, why: this is of folder {name}}}")
    catalogue = extensions.load_catalogue(str(tmp_path / "one"), str(tmp_path / "two"))
    assert catalogue.profile("homemade").why == "this is of folder two"


def test_files_of_other_kinds_are_no_profiles(tmp_path):
    (tmp_path / "README.txt").write_text("not a profile")
    assert extensions.load_catalogue(str(tmp_path)) == extensions.load_catalogue()


def test_a_folder_that_is_not_there():
    with pytest.raises(BadProfile, match="/no/such: no such folder"):
        extensions.load_catalogue("/no/such")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (f"ok: {{kind: agent, {WHY}}}\n\nbad:\n  kind: nonsense\n", ":3: bad", "nonsense"),
        ("bad: {}\n", ":1: bad", "kind"),
        ("bad: {kind: agent, color: red}\n", ":1: bad", "color"),
        ("bad: {kind: agent, max_unavailable: most}\n", ":1: bad", "most"),
        ("bad: {kind: agent, max_unavailable: 0%}\n", ":1: bad", "0%"),
        ("bad: {kind: agent, limit: 200%}\n", ":1: bad", "200%"),
        ("bad: {kind: unknown}\n", ":1: bad", "unknown"),
        ("bad: [\n", "mine.yaml", "expected"),
        ("- bad\n", ":1", "object"),
    ],
)
def test_a_bad_profile_is_named_with_file_and_line(folder, text, place, words):
    with pytest.raises(BadProfile) as refusal:
        extensions.load_catalogue(folder(mine=text))
    assert "mine.yaml" in refusal.value.message
    assert place in refusal.value.message and words in refusal.value.message


def test_an_extension_that_cannot_be_loaded_stops_the_plan(tmp_path, monkeypatch):
    """A real entry point of an installed distribution, which names a module that is not there."""
    info = tmp_path / "broken_extension-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-extension\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{extensions.SERVICES}]\nbroken = broken_extension.services\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(ExtensionManager, "ENTRY_POINT_CACHE", {})  # it looks once only
    with pytest.raises(BadProfile, match=r"extension 'broken' \(broken_extension.services\) cannot be loaded"):
        extensions.load_catalogue()
