"""How does a whole Heat run in one process: its engine in threads, and its API on loopback, without authentication?

Run as ``python -m tripleo_update_sandbox.undercloud.heat_server --config FILE --port PORT``.
"""

import argparse
import os
import signal
import sys
from types import FrameType


def _serve(config_file: str, port: int) -> None:
    import heat.cmd.engine  # noqa: F401 - selects the threading backend, so it comes before the rest of Heat
    from cheroot import wsgi
    from heat.common import config, messaging
    from heat.db import migration
    from heat.engine import service, template
    from heat.rpc import api
    from oslo_config import cfg
    from oslo_log import log

    log.register_options(cfg.CONF)
    cfg.CONF(["--config-file", config_file], project="heat", prog="heat")
    log.setup(cfg.CONF, "heat")
    config.set_config_defaults()
    messaging.setup()
    migration.db_sync()
    template._get_template_extension_manager()
    service.EngineService(cfg.CONF.host, api.ENGINE_TOPIC).start()
    server = wsgi.Server(("127.0.0.1", port), config.load_paste_app("heat-api"), numthreads=8)
    server.prepare()
    server.serve()


def _leave(_signum: int, _frame: FrameType | None) -> None:
    # The engine's threads would hold the process for minutes; SQLite needs no farewell.
    os._exit(0)


def main() -> int:
    parser = argparse.ArgumentParser(description="The sandbox's Heat")
    parser.add_argument("--config", required=True)
    parser.add_argument("--port", required=True, type=int)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _leave)
    _serve(options.config, options.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
