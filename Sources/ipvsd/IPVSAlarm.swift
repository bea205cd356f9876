// The alarms of ipvsd by what they are about, and their subjects on the bus.

import Bus
import IPVS
import Net

/// What a person must mend.
enum IPVSAlarm: AlarmKey {
    /// The last good configuration is in force, not the file.
    case configuration
    /// The table as a whole cannot be kept.
    case kernel
    /// The kernel refuses services or servers.
    case refused
    /// The netlink socket has a smaller buffer than the configuration asks for.
    case buffers
    /// This host does not forward what masqueraded servers answer.
    case forwarding(AddressFamily)
    /// Masqueraded servers do not answer through this host.
    case answers
    /// The kernel's table of connections is nearly full.
    case tracking
    /// This host is a real server, and its neighbours learn that it has the service's address.
    case localServer
    /// This host is a real server by tunnel, and does not take what comes through it.
    case tunnelFilter
    /// Tunnels do not fit through an interface.
    case tunnelMTU
    /// A setting of IPVS contradicts weights.
    case setting(HostNetwork.Setting)
    /// Packets of groups are not marked as nftables_ipvs wants it.
    case marks
    /// Connections are not synchronised as lvs_sync_daemon wants it.
    case synchronisation
    /// Files cannot be read or written, or were damaged.
    case state
    /// Programs that are to be told about services cannot be run.
    case notify
    /// scriptd is away.
    case scripts
    /// Nobody reads the pipe at this path, or it cannot be written.
    case pipe(String)

    var subject: String {
        switch self {
        case .configuration: "configuration"
        case .kernel: "kernel"
        case .refused: "refused"
        case .buffers: "buffers"
        case .forwarding(.inet): "forwarding/ipv4"
        case .forwarding(.inet6): "forwarding/ipv6"
        case .answers: "answers"
        case .tracking: "conntrack"
        case .localServer: "arp"
        case .tunnelFilter: "tunnel-filter"
        case .tunnelMTU: "tunnel-mtu"
        case .setting(let setting): "settings/\(setting.rawValue)"
        case .marks: "marks"
        case .synchronisation: "sync-daemon"
        case .state: "state"
        case .notify: "notify"
        case .scripts: "scripts"
        case .pipe(let path): "notify-fifo/\(path)"
        }
    }
}
