// What a datagram that answers UDP_CHECK says (keepalived check_udp.c): without require_reply any one is good; with octets to begin with,
// it must have those, as far as both go, and a length within the limits.
public import Configuration

extension UDPProbe {
    /// What the reply says about the server.
    public func outcome(of reply: [UInt8]) -> ProbeOutcome {
        guard requiresReply, !self.reply.isEmpty else { return .success }
        guard reply.count >= minimumReplyLength else {
            return .failure(.answer("a reply of \(reply.count) octets, not \(minimumReplyLength)"))
        }
        guard reply.count <= maximumReplyLength else {
            return .failure(.answer("a reply of more than \(maximumReplyLength) octets"))
        }
        guard zip(self.reply, reply).allSatisfy({ $0.matches($1) }) else {
            return .failure(.answer("a reply that begins otherwise"))
        }
        return .success
    }

    /// How much of a reply is read, in octets: enough to tell that it is too long.
    public var replyCapacity: Int { maximumReplyLength + 1 }
}
