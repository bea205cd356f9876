// Routing rules in and out of rtnetlink's messages (linux/fib_rules.h). A struct fib_rule_hdr has the layout of a struct rtmsg, as ip-rule(8)
// uses it: the type is the action.

internal import CNl
internal import CNlRoute
internal import Configuration
internal import Glibc
internal import Net
internal import VRRP

/// FRA_*, which libnl does not export all.
private enum Attribute {
    static let destination = 1, source = 2, input = 3, goTo = 4, priority = 6, mark = 10, flow = 11, tunnel = 12
    static let suppressedGroup = 13, suppressedLength = 14, table = 15, mask = 16, output = 17, vrf = 19, users = 20
    static let origin = 21, transport = 22, sourcePorts = 23, destinationPorts = 24
}

/// FIB_RULE_INVERT.
private let inverted: UInt32 = 2

extension NetlinkMessage {
    /// RTM_NEWRULE (refused when the same rule is there) or RTM_DELRULE.
    static func changing(_ change: Change<Rule>) throws(NetlinkError) -> NetlinkMessage {
        let line = change.object.line
        var header = rtmsg()
        header.rtm_family = UInt8(line.family == .inet ? AF_INET : AF_INET6)
        header.rtm_dst_len = UInt8(clamping: line.destination?.length ?? 0)
        header.rtm_src_len = UInt8(clamping: line.source?.length ?? 0)
        header.rtm_tos = line.typeOfService
        header.rtm_type = line.action.number
        header.rtm_flags = line.isInverted ? inverted : 0
        let isAddition = if case .add = change { true } else { false }
        var message = try NetlinkMessage(
            type: isAddition ? RTM_NEWRULE : RTM_DELRULE, flags: isAddition ? NLM_F_CREATE | NLM_F_EXCL : 0,
            header: header)
        if let destination = line.destination, destination.length > 0 {
            message.put(Attribute.destination, octets: destination.address.octets)
        }
        if let source = line.source, source.length > 0 {
            message.put(Attribute.source, octets: source.address.octets)
        }
        message.put(Attribute.priority, line.priority)
        if let device = line.inputDevice { message.put(Attribute.input, device) }
        if let device = line.outputDevice { message.put(Attribute.output, device) }
        if let mark = line.mark {
            message.put(Attribute.mark, mark)
            message.put(Attribute.mask, line.markMask)
        }
        if let realms = line.realms { message.put(Attribute.flow, realms) }
        switch line.action {
        case .table(let table?): message.put(Attribute.table, table)
        case .table(nil): message.put(Attribute.vrf, UInt8(1))
        case .goTo(let priority): message.put(Attribute.goTo, priority)
        case .nop, .blackhole, .unreachable, .prohibit: break
        }
        if let length = line.suppressedPrefixLength { message.put(Attribute.suppressedLength, length) }
        if let group = line.suppressedGroup { message.put(Attribute.suppressedGroup, group) }
        if let users = line.users { message.put(Attribute.users, octets: octets(users)) }
        if let transport = line.transport { message.put(Attribute.transport, transport) }
        if let ports = line.sourcePorts { message.put(Attribute.sourcePorts, octets: octets(ports)) }
        if let ports = line.destinationPorts { message.put(Attribute.destinationPorts, octets: octets(ports)) }
        if let tunnel = line.tunnelID {
            message.put(Attribute.tunnel, octets: withUnsafeBytes(of: tunnel.bigEndian) { Array($0) })
        }
        message.put(Attribute.origin, change.object.origin)
        return message
    }

    /// Both ends in host order.
    private static func octets<Number: FixedWidthInteger>(_ range: ClosedRange<Number>) -> [UInt8] {
        [range.lowerBound, range.upperBound].flatMap { end in withUnsafeBytes(of: end) { Array($0) } }
    }

    /// A dump of rules.
    static func dumpingRules(_ family: Int32) throws(NetlinkError) -> NetlinkMessage {
        var header = rtmsg()
        header.rtm_family = UInt8(family)
        return try NetlinkMessage(type: RTM_GETRULE, flags: NLM_F_DUMP, header: header)
    }
}

extension RuleLine.Action {
    /// FR_ACT_*.
    fileprivate var number: UInt8 {
        switch self {
        case .table: 1
        case .goTo: 2
        case .nop: 3
        case .blackhole: 6
        case .unreachable: 7
        case .prohibit: 8
        }
    }
}

extension Rule {
    /// Decodes RTM_NEWRULE or RTM_DELRULE; nil when it is malformed, of another family or of an action that nobody configures.
    init?(_ reply: NetlinkReply) {
        let headerSize = MemoryLayout<rtmsg>.size
        guard reply.payload.count >= headerSize else { return nil }
        let header = reply.payload.loadUnaligned(as: rtmsg.self)
        var line: RuleLine
        switch Int32(header.rtm_family) {
        case AF_INET: line = RuleLine(.inet)
        case AF_INET6: line = RuleLine(.inet6)
        default: return nil
        }
        line.isInverted = header.rtm_flags & inverted != 0
        line.typeOfService = header.rtm_tos
        var table = UInt32(header.rtm_table)
        var isOfVRF = false
        var target: UInt32 = 0
        var origin: UInt8 = 0
        for attribute in reply.attributes(after: headerSize) {
            switch attribute.type {
            case Attribute.destination: line.destination = prefix(attribute, header.rtm_dst_len)
            case Attribute.source: line.source = prefix(attribute, header.rtm_src_len)
            case Attribute.priority: line.priority = attribute.number() ?? 0
            case Attribute.input: line.inputDevice = attribute.string
            case Attribute.output: line.outputDevice = attribute.string
            case Attribute.mark: line.mark = attribute.number()
            case Attribute.mask: line.markMask = attribute.number() ?? .max
            case Attribute.flow: line.realms = attribute.number()
            case Attribute.table: table = attribute.number() ?? table
            case Attribute.vrf: isOfVRF = attribute.number(UInt8.self) == 1
            case Attribute.goTo: target = attribute.number() ?? 0
            case Attribute.suppressedLength: line.suppressedPrefixLength = meant(attribute.number())
            case Attribute.suppressedGroup: line.suppressedGroup = meant(attribute.number())
            case Attribute.users: line.users = range(attribute.bytes)
            case Attribute.transport: line.transport = attribute.number()
            case Attribute.sourcePorts: line.sourcePorts = range(attribute.bytes)
            case Attribute.destinationPorts: line.destinationPorts = range(attribute.bytes)
            case Attribute.tunnel: line.tunnelID = attribute.number(UInt64.self).map { UInt64(bigEndian: $0) }
            case Attribute.origin: origin = attribute.number() ?? 0
            default: continue
            }
        }
        switch header.rtm_type {
        case 1: line.action = .table(isOfVRF ? nil : table)
        case 2: line.action = .goTo(target)
        case 3: line.action = .nop
        case 6: line.action = .blackhole
        case 7: line.action = .unreachable
        case 8: line.action = .prohibit
        default: return nil
        }
        self.init(line, origin: origin)
    }
}

/// -1 = off.
private func meant(_ value: UInt32?) -> UInt32? { value == .max ? nil : value }

private func prefix(_ attribute: NetlinkAttribute, _ length: UInt8) -> IPPrefix? {
    IPAddress(octets: attribute.bytes).flatMap { IPPrefix($0, length: Int(length)) }
}

/// A struct fib_rule_uid_range or fib_rule_port_range.
private func range<Number: FixedWidthInteger & BitwiseCopyable>(_ bytes: UnsafeRawBufferPointer) -> ClosedRange<Number>?
{
    let size = MemoryLayout<Number>.size
    guard bytes.count == 2 * size else { return nil }
    let low = bytes.loadUnaligned(as: Number.self)
    let high = bytes.loadUnaligned(fromByteOffset: size, as: Number.self)
    return low <= high ? low...high : nil
}
