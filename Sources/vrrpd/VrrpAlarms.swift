// What vrrpd asks a person to mend, in words. Which alarms stand follows from the director's state: see Director.Concerns.

import Bus
import Net
import Platform
import Scripts
import VRRP

/// The causes of vrrpd's alarms.
enum VrrpAlarm: AlarmKey {
    /// An instance is in FAULT for a reason that does not mend itself.
    case instance(String)
    /// Addresses of an instance.
    case addresses(String)
    /// Routes and rules of an instance.
    case routing(String)
    /// An instance's advertisements do not leave, or do not carry all addresses.
    case advertisements(String)
    /// Another host is master of the same virtual router.
    case masters(String)
    /// What another host says of the same virtual router is dropped.
    case peers(String)
    /// A tracked script cannot be run as it is configured.
    case script(String)
    /// A program that is to be told about an instance or a group cannot be run.
    case notify(NoticeSubject)
    /// A pipe that lines are lost from.
    case pipe(String)
    /// What was asked of the kernel for the process.
    case process(ProcessAspect)
    case configuration, table, rules, leftovers, hostRouting, heartbeat, gratuitousARP, scripts, steppedDown, bus,
        buffers, igmp

    var subject: String {
        switch self {
        case .instance(let name): "instance/\(name)"
        case .addresses(let name): "addresses/\(name)"
        case .routing(let name): "routes/\(name)"
        case .advertisements(let name): "advertisements/\(name)"
        case .masters(let name): "masters/\(name)"
        case .peers(let name): "peers/\(name)"
        case .script(let name): "script/\(name)"
        case .notify(.instance(let name)): "notify/\(name)"
        case .notify(.group(let name)): "notify/group/\(name)"
        case .pipe(let path): "notify-fifo\(path)"
        case .configuration: "configuration"
        case .table: "interfaces"
        case .rules: "rules"
        case .leftovers: "addresses"
        case .hostRouting: "routes"
        case .heartbeat: "heartbeat"
        case .gratuitousARP: "gratuitous-arp"
        case .scripts: "scripts"
        case .steppedDown: "stepped-down"
        case .process(let aspect): aspect.rawValue
        case .bus: "bus"
        case .buffers: "buffers"
        case .igmp: "igmp"
        }
    }
}

extension Director.Concerns {
    /// The alarms of the instance `name`.
    func alarms(of name: String) -> [VrrpAlarm: Alarm] {
        var alarms: [VrrpAlarm: Alarm] = [:]
        alarms[.instance(name)] = faults.lazy.compactMap(\.alarm).first
        if let first = addresses.first {
            alarms[.addresses(name)] = first.alarm(others: addresses.count - 1)
        } else if let promotion {
            alarms[.addresses(name)] = Alarm(
                message: "promote_secondaries cannot be set on its interface: \(promotion)",
                remedy: "it is tried again every second; run vrrpd with CAP_NET_ADMIN, or remove promote_secondaries")
        }
        if let first = routing.first {
            alarms[.routing(name)] = first.alarm(others: routing.count - 1)
        }
        if let muteness {
            alarms[.advertisements(name)] = Alarm(
                message: "advertisements do not leave: \(muteness)",
                remedy: "other directors do not hear this one; look at the firewall, the routes and the MTU")
        } else if unadvertised > 0 {
            alarms[.advertisements(name)] = Alarm(
                message:
                    "\(unadvertised) virtual addresses do not fit an advertisement: they are held but not advertised",
                remedy: "move them to virtual_ipaddress_excluded, or raise the interface's MTU")
        }
        alarms[.masters(name)] = rival?.alarm
        alarms[.peers(name)] = unheard.map {
            Alarm(
                message: "advertisements from \($0.address) are dropped: \($0.refusal.map { "\($0)" } ?? "refused")",
                remedy: "make the two configurations agree: both would be master together")
        }
        for script in refusedScripts {
            alarms[.script(script.name)] = Alarm(
                message: "track_script \(script.name) cannot be run: \(script.why)",
                remedy:
                    "it counts as failed until it can; mend the file, or vrrp_script \(script.name) in the configuration"
            )
        }
        return alarms
    }
}

extension Director.Rival {
    fileprivate var alarm: Alarm {
        guard let refusal else {
            return Alarm(
                message:
                    "\(address) is master too: it goes on with a lower priority, so it does not hear this director",
                remedy:
                    "look at the firewall between them, and whether this director speaks from an address that the other one has, too"
            )
        }
        return Alarm(
            message: "\(address) is master too: its advertisements are refused here: \(refusal)",
            remedy: "make the two configurations agree; until then both hold the addresses")
    }
}

extension Fault {
    /// What a person should do; nil for what comes and goes by itself.
    fileprivate var alarm: Alarm? {
        let remedy: String
        switch self {
        case .interfaceMissing(let name):
            remedy = "waiting for an interface of that name; check 'interface' in the configuration or create \(name)"
        case .noSourceAddress:
            remedy = "give the interface an address, or set mcast_src_ip or unicast_src_ip"
        case .noLinkLocalAddress(let name):
            remedy =
                "it gets one when IPv6 is on (sysctl net.ipv6.conf.\(name).disable_ipv6 = 0, addr_gen_mode not 1); "
                + "look for another host with the same one if it stays"
        case .noUnicastPeer:
            remedy = "name the other directors in unicast_peer, or remove unicast_fault_no_peer"
        case .noVirtualLink:
            remedy =
                "it is tried again every second; take away what has its name or MAC, or give it another; run vrrpd with CAP_NET_ADMIN"
        case .noSocket:
            remedy = "it is tried again every second; run vrrpd with CAP_NET_RAW"
        case .staticLost:
            remedy = "it is put back as soon as the kernel takes it: see the alarms vrrpd/addresses and vrrpd/routes"
        case .interfaceDown, .interfaceUp, .scriptFailed, .tracked, .group:
            return nil
        }
        return Alarm(message: "\(self)", remedy: remedy)
    }
}

extension RoutingTrouble {
    /// The alarm for this and so many others.
    func alarm(others: Int) -> Alarm {
        let more = others > 0 ? " (and \(others) more)" : ""
        switch self {
        case .refused(let what, let words):
            return Alarm(
                message: "\(what)\(more): \(words)",
                remedy: "it is tried again every second; look at its gateway, its source address and at other routes")
        case .takenOffAgainAndAgain(let what):
            return Alarm(
                message: "somebody else takes \(what)\(more) off again and again",
                remedy: "it is put back ever more slowly; find who else manages the routes of this host")
        case .noInterface(let what, let device):
            return Alarm(
                message: "the route to \(what)\(more) cannot be there: there is no interface \(device)",
                remedy: "it is added as soon as the interface is there")
        }
    }
}

extension AddressTrouble {
    /// The alarm for this and so many others.
    func alarm(others: Int) -> Alarm {
        let more = others > 0 ? " (and \(others) more)" : ""
        switch self {
        case .refused(let prefix, let words):
            return Alarm(
                message: "\(prefix)\(more): \(words)",
                remedy: "it is tried again every second; run vrrpd with CAP_NET_ADMIN")
        case .takenOffAgainAndAgain(let prefix):
            return Alarm(
                message: "another manager takes \(prefix)\(more) off again and again",
                remedy: "it is put back ever more slowly; find who else manages the interface's addresses")
        case .isOnAnotherHost(let prefix):
            return Alarm(
                message: "\(prefix)\(more) is on another host of the link: duplicate address detection failed",
                remedy: "find that host; or leave out -nodad, so that the address is taken without asking")
        case .noInterface(let prefix, let device?):
            return Alarm(
                message: "\(prefix)\(more) cannot be held: there is no interface \(device)",
                remedy: "it is added as soon as the interface is there")
        case .noInterface(let prefix, nil):
            return Alarm(
                message: "\(prefix)\(more) cannot be held: it has no interface",
                remedy: "give it one with 'dev', or the instance with 'interface'")
        case .wasThereBefore(let prefix):
            return Alarm(
                message: "\(prefix)\(more) is on the interface although this director is not master",
                remedy: "somebody else put it there; take it off, or set priority 255 if this host owns it")
        }
    }
}
