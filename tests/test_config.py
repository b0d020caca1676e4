"""config/ is the product: strict YAML, every mistake with file, line and key, schemas equal to the models."""

import json
from email.headerregistry import Address
from pathlib import Path

import pytest

from riskwatch.config_folder import config_files, shipped_config
from riskwatch.environment import Settings, read_settings, shown
from riskwatch.errors import ConfigErrors
from riskwatch.schema import schemas
from riskwatch.settings import load
from riskwatch.strict_yaml import read_yaml


def test_the_shipped_config_is_valid() -> None:
    config = load(environ={})

    assert len(config.vendors) >= 90
    assert len(config.sources) >= 60
    assert len(config.blockers.blockers) >= 300
    assert {rule.event for rule in config.rules} == set(config.taxonomy)


def test_norway_stays_text() -> None:
    assert read_yaml("country: NO\nanswer: yes\nclock: 12:30\nday: 2026-03-05\n", "x.yaml").value == {
        "country": "NO",
        "answer": "yes",
        "clock": "12:30",
        "day": "2026-03-05",
    }


def test_only_true_and_false_are_booleans() -> None:
    assert read_yaml("a: true\nb: false\nc: on\nd: 1\ne: 1.5\nf: ~\ng: 1_000\n", "x.yaml").value == {
        "a": True, "b": False, "c": "on", "d": 1, "e": 1.5, "f": None, "g": "1_000",
    }  # fmt: skip


def test_a_key_that_stands_twice_is_an_error_with_both_lines() -> None:
    with pytest.raises(ConfigErrors, match=r"x\.yaml:3: a: the key stands twice, first in line 1"):
        read_yaml("a: 1\nb: 2\na: 3\n", "x.yaml")


def test_broken_yaml_tells_the_line() -> None:
    with pytest.raises(ConfigErrors, match=r"x\.yaml:2"):
        read_yaml("a: [1\nb: }\n", "x.yaml")


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_all_mistakes_of_a_run_are_told_at_once_with_file_line_and_key(tmp_path: Path) -> None:
    write(tmp_path, "vendors/acme.yaml", "id: acme\nname: Acme\nnames: [Acme]\nwatched: yes\ncolour: red\n")
    units = "units:\n  shop: {name: Shop, words: [Store]}\n  web: {name: Web, words: [store]}\n"
    write(tmp_path, "vendors/beta.yaml", f"id: beta\nname: Beta\nnames: [Beta]\n{units}")
    write(tmp_path, "sets.yaml", "sets:\n  all_of_them: [nobody]\n")
    outlet = "{name: Acme, family: acme, tier: primary, covers: [nobody]}"
    write(tmp_path, "publishers.yaml", f"publishers:\n  - {outlet}\n")

    with pytest.raises(ConfigErrors) as caught:
        load(tmp_path, environ={})

    told = str(caught.value)
    assert "vendors/acme.yaml:4: watched: write true or false, not yes" in told
    assert "vendors/acme.yaml:5: colour: unknown key; remove it or correct its spelling" in told
    assert "vendors/beta.yaml:4: units: a word belongs to one unit, once: store" in told
    assert "sets.yaml: all_of_them: no vendor has the id nobody" in told
    assert "publishers.yaml: covers: Acme: no vendor has the id nobody" in told


def test_types_that_yield_to_nothing_or_to_each_other_are_told(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    shipped = (shipped_config() / "rules/taxonomy.yaml").read_text("utf-8")
    line = "yields_to: [adverse_ruling]\n"
    assert line in shipped
    changed = shipped.replace(line, "yields_to: [regulatory_action, quarrel]\n")
    (tmp_path / "rules/taxonomy.yaml").write_text(changed, "utf-8")

    with pytest.raises(ConfigErrors) as raised:
        load(environ={"RISKWATCH_CONFIG_DIR": str(tmp_path)})

    told = str(raised.value)
    assert "types.lawsuit.yields_to: quarrel is no type of this file" in told
    assert "lawsuit and regulatory_action yield to each other" in told


def test_an_overlay_file_stands_for_the_shipped_one_and_new_ones_are_added(tmp_path: Path) -> None:
    write(tmp_path, "vendors/acme.yaml", "id: acme\nname: Acme AI\nnames: [Acme AI]\n")
    write(
        tmp_path,
        "overrides.yaml",
        "vendors:\n  openai:\n    names: [The ChatGPT maker]\nblockers: [Initech]\n",
    )

    config = load(tmp_path, environ={})

    assert config.vendors["acme"].name == "Acme AI"
    assert "The ChatGPT maker" in config.vendors["openai"].names
    assert "Initech" in {blocker.name for blocker in config.blockers.blockers}
    assert config.files["vendors/acme.yaml"] == tmp_path / "vendors/acme.yaml"


def test_a_misspelt_file_of_the_overlay_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "vendor/acme.yaml", "id: acme\nname: Acme AI\nnames: [Acme AI]\n")

    with pytest.raises(ConfigErrors, match=r"vendor/acme\.yaml: no file of this name is read"):
        load(tmp_path, environ={})


def test_a_missing_overlay_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="there is no such folder"):
        config_files(tmp_path / "nowhere")


def test_the_schemas_on_disk_equal_the_models() -> None:
    folder = shipped_config() / "schema"

    assert {p.name: p.read_text(encoding="utf-8") for p in folder.glob("*.json")} == schemas()


def test_every_schema_is_json_with_a_dialect() -> None:
    for text in schemas().values():
        assert json.loads(text)["$schema"].startswith("https://json-schema.org/")


# ------------------------------------------------------------------------------------------- environment
def test_a_secret_is_read_from_its_file_and_prints_as_secret(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("0123456789abcdef\n", encoding="utf-8")
    file.chmod(0o600)

    read, warnings = read_settings({"RISKWATCH_SECRET_KEY_FILE": str(file)})

    assert read.secret_key is not None
    assert read.secret_key.get_secret_value() == "0123456789abcdef"
    assert shown(read)["secret_key"] == "<secret>"
    assert "0123456789abcdef" not in repr(read)
    assert warnings == ()


def test_a_secret_file_that_others_can_read_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("0123456789abcdef", encoding="utf-8")
    file.chmod(0o644)

    assert "chmod 600" in read_settings({"RISKWATCH_SECRET_KEY_FILE": str(file)})[1][0]


def test_a_setting_and_its_file_together_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="keep one of the two"):
        read_settings({"RISKWATCH_SECRET_KEY": "a", "RISKWATCH_SECRET_KEY_FILE": str(tmp_path)})


def test_an_unknown_setting_names_the_near_one() -> None:
    with pytest.raises(ConfigErrors, match="did you mean RISKWATCH_DATA_DIR"):
        read_settings({"RISKWATCH_DATADIR": "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RISKWATCH_PORT", "web"),
        ("RISKWATCH_PORT", "70000"),
        ("RISKWATCH_ANONYMOUS_READ", "yes"),
        ("RISKWATCH_LOG_FORMAT", "xml"),
        ("RISKWATCH_TRUSTED_PROXIES", "-1"),
        ("RISKWATCH_TRUSTED_PROXIES", "9"),
        ("RISKWATCH_TRUSTED_PROXIES", "10.0.0.1"),
        ("RISKWATCH_ALLOW_CIDRS", "127.0.0.0/8,nonsense"),
    ],
)
def test_a_wrong_setting_is_told_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigErrors, match=name):
        read_settings({name: value})


MAIL = {"RISKWATCH_SMTP_HOST": "relay.example.com", "RISKWATCH_SMTP_FROM": "Desk <risk@corp.example>"}


def test_mail_is_set_by_a_relay_and_a_sender() -> None:
    read, _ = read_settings(MAIL)

    assert read.mail_sender == Address("Desk", addr_spec="risk@corp.example")
    assert read.mail_port == 587
    assert read_settings(MAIL | {"RISKWATCH_SMTP_SECURITY": "tls"})[0].mail_port == 465
    assert read_settings(MAIL | {"RISKWATCH_SMTP_PORT": "2525"})[0].mail_port == 2525


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"RISKWATCH_SMTP_FROM": ""}, "name@example.com"),
        ({"RISKWATCH_SMTP_FROM": "risk@corp.example\r\nBcc: evil@example.com"}, "name@example.com"),
        ({"RISKWATCH_SMTP_FROM": "a@corp.example, b@corp.example"}, "name@example.com"),
        ({"RISKWATCH_SMTP_SECURITY": "none"}, "RISKWATCH_SMTP_SECURITY"),
        ({"RISKWATCH_SMTP_USER": "u"}, "RISKWATCH_SMTP_PASSWORD"),
        ({"RISKWATCH_BASE_URL": "http://risk.example.com"}, "https"),
        ({"RISKWATCH_BASE_URL": "https://risk.example.com/?a=1"}, "without"),
        ({"RISKWATCH_RECEIVER_SECRET": "x"}, "RISKWATCH_RECEIVER_SECRET"),
    ],
)
def test_a_setting_of_alerting_that_cannot_work_is_told(more: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigErrors, match=told):
        read_settings(MAIL | more)


def test_a_relay_without_a_sender_is_told() -> None:
    with pytest.raises(ConfigErrors, match="RISKWATCH_SMTP_FROM"):
        read_settings({"RISKWATCH_SMTP_HOST": "relay.example.com"})


@pytest.mark.parametrize("url", ["https://risk.example.com/", "http://127.0.0.1:8470", "http://localhost"])
def test_the_base_address_is_https_or_loopback(url: str) -> None:
    assert read_settings({"RISKWATCH_BASE_URL": url})[0].base_url == url.rstrip("/")


def test_44_each_receiver_has_a_secret_of_its_own_that_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "grc"
    file.write_text("whsec_bmV3ZXI= whsec_b2xkZXI=\n", encoding="utf-8")
    file.chmod(0o600)
    url = "https://hooks.slack.com/services/T0/B0/veryS3cret"

    read, warnings = read_settings(
        {"RISKWATCH_RECEIVER_SECRET_GRC_SIGNING_FILE": str(file), "RISKWATCH_RECEIVER_SECRET_SLACK": url}
    )

    assert warnings == ()
    assert read.receiver_secret["slack"].get_secret_value() == url
    assert read.receiver_secret["grc_signing"].get_secret_value().split()[0] == "whsec_bmV3ZXI="
    assert shown(read)["receiver_secret_slack"] == "<secret>"
    assert "veryS3cret" not in repr(read) + str(shown(read))
    assert {url, "/services/T0/B0/veryS3cret", "whsec_b2xkZXI="} <= set(read.secrets())


def test_44_the_name_of_a_database_is_no_secret_word() -> None:
    read, _ = read_settings({"RISKWATCH_DATABASE_URL": "postgresql+psycopg://rw:pass@db/riskwatch"})

    assert read.secrets() == ("postgresql+psycopg://rw:pass@db/riskwatch",)


def test_settings_have_a_description_each() -> None:
    assert all(info.description for info in Settings.model_fields.values())
