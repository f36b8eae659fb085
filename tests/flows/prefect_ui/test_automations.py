"""The command that installs the automation says in one line where it can't."""

import pytest

from imagerecords.flows.prefect_ui import automations


@pytest.mark.parametrize(
    ("url", "code", "message"),
    [
        (None, 2, "PREFECT_API_URL must be the server's, got none"),  # Prefect would start a temporary server
        ("http://127.0.0.1:9/api", 1, "error: no answer from the Prefect server: http://127.0.0.1:9/api"),
    ],
)
def test_without_a_server_there_is_one_line_that_says_what_to_set(monkeypatch, capsys, url, code, message):
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    monkeypatch.setattr(automations, "prefect_api_url", lambda: url)
    with temporary_settings({PREFECT_API_URL: url or "", PREFECT_CLIENT_MAX_RETRIES: 0}), pytest.raises(SystemExit) as left:
        automations.main([])
    assert left.value.code == code
    assert message in capsys.readouterr().err
