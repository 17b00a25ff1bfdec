"""Settings: from the environment or from files, and a refusal to start that prints no secret."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from chassis.process.settings import DatabaseSettings, ServiceSettings


class Settings(ServiceSettings, DatabaseSettings):
    stripe_secret_key: SecretStr = SecretStr("")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@db/x")
    for name in ("APP_ENV", "STRIPE_SECRET_KEY", "ALLOWED_RETURN_ORIGINS", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_several_origins_come_in_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_RETURN_ORIGINS", "https://App.example.com/, http://localhost:3000,")

    assert Settings().allowed_return_origins == ("https://app.example.com", "http://localhost:3000")


@pytest.mark.parametrize("origin", ["*", "app.example.com", "https://a.example/path", "https://u@a.example", "null"])
def test_what_is_no_origin_stops_the_start(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("ALLOWED_RETURN_ORIGINS", origin)

    with pytest.raises(ValidationError):
        Settings()


def test_a_secret_may_be_a_file(environment: Path) -> None:
    (environment / "STRIPE_SECRET_KEY").write_text("sk_test_file\n")

    assert Settings().stripe_secret_key.get_secret_value() == "sk_test_file"


def test_a_secret_may_be_mounted_as_kubernetes_does(environment: Path) -> None:
    (environment / "..2026").mkdir()
    (environment / "..2026" / "STRIPE_SECRET_KEY").write_text("sk_test_mounted")
    (environment / "..data").symlink_to("..2026")
    (environment / "STRIPE_SECRET_KEY").symlink_to("..data/STRIPE_SECRET_KEY")

    assert Settings().stripe_secret_key.get_secret_value() == "sk_test_mounted"


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "")

    assert Settings().log_level == "INFO"


@pytest.mark.parametrize(
    ("app_env", "expected"),
    [
        ("local", False),
        ("testing", False),
        (" Testing ", False),
        ("production", True),
        ("staging", True),
        ("prod", True),
        ("localhost", True),
        ("", True),
        (" ", True),
        (None, True),
    ],
)
def test_only_local_and_testing_are_unprotected(
    monkeypatch: pytest.MonkeyPatch, app_env: str | None, expected: bool
) -> None:
    if app_env is not None:
        monkeypatch.setenv("APP_ENV", app_env)

    assert expected is Settings().protected


def test_the_refusal_to_start_prints_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "whsec_pasted_into_the_wrong_line")

    with pytest.raises(ValidationError) as refusal:
        Settings()

    assert "whsec" not in str(refusal.value)


def test_settings_do_not_show_the_database_password() -> None:
    assert "u:p@" not in repr(Settings())


def test_without_a_database_url_a_service_that_needs_one_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")

    with pytest.raises(ValidationError):
        Settings()
