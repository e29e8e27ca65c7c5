"""What the services are told: the text of their configuration files. Pure; TripleO's shape where that matters.

The passwords are worth nothing: nothing outside the lab's own network namespaces can reach what they open.
"""

from collections.abc import Iterable, Mapping

from lab.topology import VIP, Host, Topology

KEYSTONE_PASSWORD = "keystone-of-the-lab"  # noqa: S105
CLIENT = "lab"
CLIENT_PASSWORD = "client-of-the-lab"  # noqa: S105
ADMIN_PASSWORD = "admin-of-the-lab"  # noqa: S105
COOKIE = "COOKIEOFTHELAB"
#: The proxies of HAProxy, called as TripleO calls them.
DATABASE_PROXY, IDENTITY_PROXY, MASTER_PROXY = "mysql", "keystone_public", "redis"


def galera(topology: Topology, host: Host) -> str:
    members = ",".join(each.name for each in topology.having("mysql"))
    return f"""\
[mysqld]
bind-address={host.address}
skip-name-resolve
max_connections=500
innodb_buffer_pool_size=64M
innodb_log_file_size=16M
innodb_flush_log_at_trx_commit=2
performance_schema=OFF
binlog_format=row
default_storage_engine=InnoDB
innodb_autoinc_lock_mode=2
wsrep_on=ON
wsrep_provider=/usr/lib/galera/libgalera_smm.so
wsrep_provider_options="gcache.size=32M;gmcast.listen_addr=tcp://{host.address}:4567;ist.recv_addr={host.address}:4568"
wsrep_cluster_name=lab
wsrep_cluster_address=gcomm://{members}
wsrep_node_name={host.name}
wsrep_node_address={host.address}
wsrep_sst_method=rsync
wsrep_slave_threads=2
"""


def rabbitmq(topology: Topology, host: Host) -> str:
    brokers = topology.having("oslo_messaging_rpc")
    members = "".join(
        f"cluster_formation.classic_config.nodes.{i} = rabbit@{each.name}\n" for i, each in enumerate(brokers, 1)
    )
    return f"""\
listeners.tcp.default = {host.address}:5672
loopback_users = none
cluster_partition_handling = pause_minority
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.target_cluster_size_hint = {len(brokers)}
disk_free_limit.absolute = 50MB
{members}"""


def rabbitmq_environment(host: Host) -> str:
    return f"NODENAME=rabbit@{host.name}\nRABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='+S 1:1 +sbwt none'\n"


def haproxy(topology: Topology) -> str:
    """Galera behind a stick table, every server a backup; keystone by turns; an admin socket, for drains.

    The checks are TripleO's: a server is down after five of them. A galera node that brings another one up to date is
    not in sync for a second or two; with quicker checks its sessions would be cut.
    """
    check = "check inter 2000 fall 5 rise 2"
    databases = _servers(topology.having("mysql"), 3306, f"backup {check} port 9200 on-marked-down shutdown-sessions")
    identities = _servers(topology.having("keystone"), 5000, check)
    return f"""\
global
  log /dev/log local0 warning
  maxconn 2000
  user haproxy
  group haproxy
  stats socket /var/lib/haproxy/stats mode 600 level admin
defaults
  log global
  mode tcp
  retries 3
  timeout connect 3s
  timeout client 2m
  timeout server 2m
  timeout check 2s
listen {DATABASE_PROXY}
  bind {VIP}:3306
  option tcpka
  option httpchk
  option redispatch
  stick on dst
  stick-table type ip size 1000
  timeout client 90m
  timeout server 90m
{databases}listen {IDENTITY_PROXY}
  bind {VIP}:5000
  mode http
  balance roundrobin
  option httpchk GET /v3
  option redispatch
{identities}{_redis_proxy(topology, check)}"""


def _redis_proxy(topology: Topology, check: str) -> str:
    """Of redis only the master is up, as in TripleO: replicas are down for HAProxy."""
    members = topology.having("redis")
    if not members:
        return ""
    return f"""\
listen {MASTER_PROXY}
  bind {VIP}:6379
  balance first
  option tcp-check
  tcp-check send PING\\r\\n
  tcp-check expect string +PONG
  tcp-check send info\\ replication\\r\\n
  tcp-check expect string role:master
  tcp-check send QUIT\\r\\n
  tcp-check expect string +OK
{_servers(members, 6379, f"{check} on-marked-down shutdown-sessions")}"""


def _servers(hosts: Iterable[Host], port: int, options: str) -> str:
    return "".join(f"  server {host.fqdn} {host.address}:{port} {options}\n" for host in hosts)


def redis(host: Host) -> str:
    """Pacemaker's agent tells it whom to replicate."""
    return f"""\
bind {host.address} 127.0.0.1
protected-mode no
dir /var/lib/redis
logfile /var/log/redis/redis-server.log
save ""
repl-diskless-sync yes
repl-diskless-sync-delay 0
"""


def keepalived(topology: Topology, host: Host) -> str:
    balancers = topology.having("keepalived")
    peers = "".join(f"    {each.address}\n" for each in balancers if each != host)
    return f"""\
global_defs {{
  router_id {host.name}
  vrrp_garp_master_refresh 10
  script_user root
}}
vrrp_script haproxy_runs {{
  script "/usr/bin/pgrep -x haproxy"
  interval 1
  fall 2
  rise 2
}}
vrrp_instance vip {{
  state BACKUP
  nopreempt
  interface eth0
  virtual_router_id 51
  priority {100 - balancers.index(host)}
  advert_int 1
  unicast_src_ip {host.address}
  unicast_peer {{
{peers}  }}
  virtual_ipaddress {{
    {VIP}/24 dev eth0
  }}
  track_script {{
    haproxy_runs
  }}
}}
"""


def keystone(topology: Topology) -> Mapping[str, Mapping[str, str]]:
    """Settings by section; tokens are remembered in memcached, domains and projects are not: that would be stale."""
    caches = ",".join(f"{host.address}:11211" for host in topology.having("memcached"))
    connection = f"mysql+pymysql://keystone:{KEYSTONE_PASSWORD}@{VIP}:3306/keystone?charset=utf8"
    return {
        "database": {"connection": connection, "max_pool_size": "5", "max_retries": "-1", "db_max_retries": "20"},
        "cache": {
            "enabled": "true",
            "backend": "oslo_cache.memcache_pool",
            "memcache_servers": caches,
            "memcache_socket_timeout": "1.0",
        },
        "resource": {"caching": "false"},
        "identity": {"password_hash_rounds": "4"},
        "token": {"provider": "fernet"},
    }


def keystone_unit(host: Host) -> str:
    return f"""\
[Service]
LimitNOFILE=16384
ExecStartPre=+/bin/chown -R keystone:keystone /var/log/keystone
ExecStart=
ExecStart=/usr/bin/uwsgi_python311 --http-socket {host.address}:5000 --ini /etc/keystone/keystone-uwsgi.ini
"""


def keystone_workers(text: str) -> str:
    """The packaged uwsgi configuration with workers for a small host."""
    changed = {"processes": "2", "threads": "4", "plugins": "python3"}
    lines = []
    for line in text.splitlines():
        name = line.partition("=")[0].strip()
        if name != "apparmor-profile":
            lines.append(f"{name} = {changed[name]}" if name in changed else line)
    return "\n".join(lines) + "\n"


def merged_ini(text: str, settings: Mapping[str, Mapping[str, str]]) -> str:
    """The text of an OpenStack configuration file with *settings* put in: an option given again later wins.

    >>> print(merged_ini("[a]\\nx = 1\\n", {"a": {"x": "2"}}), end="")
    [a]
    x = 1
    <BLANKLINE>
    [a]
    x = 2
    """
    parts = [text.rstrip("\n") + "\n"]
    for section, options in settings.items():
        parts.append(f"\n[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in options.items()))
    return "".join(parts)


