"""How does a whole Mistral run in one process: engine, executor and notifier in threads, and its API, on loopback?

Run as ``python -m tripleo_update_undercloud.mistral_server --config FILE``.
"""

import argparse
import os
import signal
import sys
import threading
import time
from types import FrameType


def _serve(config_file: str) -> None:
    import mistral.cmd  # noqa: F401 - selects the threading backend, so it comes before the rest of Mistral
    from mistral import config  # noqa: F401 - registers Mistral's options
    from mistral.api import service
    from mistral.db.v2 import api as database
    from mistral.engine import engine_server
    from mistral.rpc import base
    from oslo_config import cfg
    from oslo_log import log

    from tripleo_update_plugin import conf

    log.register_options(cfg.CONF)
    cfg.CONF(["--config-file", config_file], project="mistral", prog="mistral")
    log.setup(cfg.CONF, "mistral")
    database.setup_db()
    base.get_transport()
    engine_server.get_oslo_service().start()
    threading.Thread(target=_tend, args=(conf.register(cfg.CONF).work_dir,), daemon=True, name="tend").start()
    api = service.WSGIService("mistral_api")
    api.start()
    api.wait()


def _tend(work_dir: str) -> None:
    """After a reboot nobody else is there to look after phases that ended with the machine."""
    from tripleo_update_plugin.executor.jobs import tending

    while True:
        tending.tend(work_dir)
        time.sleep(tending.PERIOD)


def _leave(_signum: int, _frame: FrameType | None) -> None:
    os._exit(0)


def main() -> int:
    parser = argparse.ArgumentParser(description="A whole Mistral in one process")
    parser.add_argument("--config", required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _leave)
    _serve(options.config)
    return 0


if __name__ == "__main__":
    sys.exit(main())
