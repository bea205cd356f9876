// `vrrp_strict` and `strict_mode`: what RFC 3768 and RFC 9568 do not allow is reset, each with a warning, as keepalived does it. What
// keepalived refuses (no address at all) is an error.
import Net

extension Interpreter {
    /// Settles an instance in strict mode; call it when everything else about the instance is settled.
    mutating func resolveStrict(_ parsed: Parsed<InstanceDraft>, _ instance: inout VRRPInstanceConfiguration) {
        guard instance.strict else { return }
        let isOwner = instance.priority == 255
        resolveStrictAddresses(parsed, instance)
        if instance.initialState == .master, !isOwner {
            sayStrict(
                parsed, "state", "only the owner of the addresses (priority 255) starts as master; BACKUP is used")
            instance.initialState = .backup
        }
        if instance.authentication != .none {
            sayStrict(parsed, "authentication", "the RFCs have no authentication; it is ignored")
            instance.authentication = .none
        }
        if instance.authenticationHMAC.map({ $0.mode != .enforce }) ?? false {
            sayStrict(parsed, "auth_hmac", "auth_hmac drops what is not signed: mode enforce is used")
            instance.authenticationHMAC?.mode = .enforce
        }
        if case .unicast = instance.delivery {
            // Kept: without the peers the instance would multicast where its author knows that this does not work.
            sayStrict(parsed, "unicast_peer", "the RFCs have no unicast peers; they are used all the same")
        }
        if instance.preemptDelay > .zero {
            sayStrict(parsed, "preempt_delay", "the RFCs have no delay of preemption; it is ignored")
            instance.preemptDelay = .zero
        }
        if instance.downTimerAdverts != 3 {
            sayStrict(parsed, "down_timer_adverts", "a master is down after 3 intervals; that is used")
            instance.downTimerAdverts = 3
        }
        resolveStrictAnswers(parsed, &instance)
        resolveStrictAcceptance(parsed, &instance)
        if isOwner { instance.ownerIgnoresAdverts = true }
        // Ignored where the macvlan is settled.
        if let virtual = parsed.draft.virtualMAC {
            if parsed.draft.transmitsOnBase {
                sayStrict(parsed, "vmac_xmit_base", "adverts leave through the VMAC; it is ignored")
            }
            if virtual.mac != nil {
                sayStrict(parsed, "use_vmac", "the MAC is the virtual router's own; the one given is ignored")
            }
        }
    }

    /// RFC 9568 §5.2.9: the first IPv6 address is the virtual router's link-local one.
    private mutating func resolveStrictAddresses(
        _ parsed: Parsed<InstanceDraft>, _ instance: VRRPInstanceConfiguration
    ) {
        if instance.virtualAddresses.isEmpty, !parsed.attempted.contains("virtual_ipaddress") {
            reporter.error(
                .missingKeyword, at: parsed.opener.keyword,
                "strict mode: \(parsed.opener.title) has no virtual_ipaddress",
                remedy: "add one, or leave out vrrp_strict")
        }
        if instance.family == .inet6, let first = instance.virtualAddresses.first, !first.prefix.address.isLinkLocal {
            sayStrict(
                parsed, "virtual_ipaddress",
                "the first IPv6 address must be link-local, \(first.prefix.address) is not",
                remedy: "write a link-local one before it, fe80::\(instance.virtualRouterID)/64, say")
        }
    }

    /// A master answers neither a lower nor a higher priority (RFC 9568 §6.4.3).
    private mutating func resolveStrictAnswers(
        _ parsed: Parsed<InstanceDraft>, _ instance: inout VRRPInstanceConfiguration
    ) {
        for word in ["garp_lower_prio_delay", "garp_lower_prio_repeat"] where parsed.has(word) {
            sayStrict(parsed, word, "a lower priority is not answered; it is ignored")
        }
        instance.gratuitousARP.lowerPriorityDelay = .zero
        instance.gratuitousARP.lowerPriorityCount = 0
        if parsed.has("lower_prio_no_advert"), !instance.lowerPriorityNoAdvert {
            sayStrict(parsed, "lower_prio_no_advert", "a lower priority is not answered; it is on")
        }
        instance.lowerPriorityNoAdvert = true
    }

    /// Accept_Mode is false unless it is given (RFC 9568 §6.1), and always in version 2; an owner accepts.
    private mutating func resolveStrictAcceptance(
        _ parsed: Parsed<InstanceDraft>, _ instance: inout VRRPInstanceConfiguration
    ) {
        guard instance.priority < 255 else { return }
        if parsed.has("accept"), instance.accept {
            guard instance.version == .v2 else { return }
            sayStrict(parsed, "accept", "version 2 has no accept mode; it is ignored")
        }
        instance.accept = false
    }

    private mutating func sayStrict(
        _ parsed: Parsed<InstanceDraft>, _ word: String, _ message: String, remedy: String? = nil
    ) {
        reporter.warning(.adjusted, at: parsed.place(of: word), "strict mode: \(message)", remedy: remedy)
    }
}
