// The dialogs of SMTP_CHECK, DNS_CHECK, UDP_CHECK and PING_CHECK without a wire: what is sent, what is an answer, and that no input traps.
import Configuration
import Testing

@testable import HealthCheck

@Suite struct SMTPDialogTests {
    /// What the dialog says last when the server says these, one after the other.
    private func result(_ replies: [String], drip: Bool = false) -> SMTPDialog.Step {
        var dialog = SMTPDialog(name: "lb.example.com")
        var step = SMTPDialog.Step.wait
        for reply in replies {
            if drip {
                for octet in reply.utf8 { step = dialog.heard([octet]) }
            } else {
                step = dialog.heard(Array(reply.utf8))
            }
        }
        return step
    }

    @Test(arguments: [false, true]) func `220, HELO, 250, QUIT and any line is a success`(drip: Bool) {
        #expect(result(["220 mail ESMTP\r\n"], drip: drip) == .send(Array("HELO lb.example.com\r\n".utf8)))
        #expect(result(["220\n", "250 hello\r\n"], drip: drip) == .send(Array("QUIT\r\n".utf8)))
        for farewell in ["221 bye\r\n", "500 what?\n", "\n"] {
            #expect(result(["220 a\r\n", "250 b\r\n", farewell], drip: drip) == .over(.success))
        }
        #expect(result(["220-a\r\n220-b\r\n220 c\r\n", "250-a\r\n250 b\r\n", "221\n"], drip: drip) == .over(.success))
    }

    @Test(arguments: [
        ["554 no"], ["421 busy"], ["hello"], [""], ["22"], ["2200 x"], ["220x"], ["220-a", "554 b"], ["220-a", "b"],
    ]) func `another greeting is a failure that says it`(lines: [String]) {
        let last = lines.last ?? ""
        #expect(
            result([lines.map { $0 + "\r\n" }.joined()]) == .over(.failure(.answer("greeting reply: \(last)"))))
    }

    @Test func `another answer to HELO is a failure`() {
        #expect(result(["220 a\r\n", "501 no\r\n"]) == .over(.failure(.answer("HELO reply: 501 no"))))
    }

    @Test func `what comes before it was asked for is not heard`() {
        #expect(result(["220 a\r\n250 b\r\n221 c\r\n"]) == .send(Array("HELO lb.example.com\r\n".utf8)))
    }

    @Test func `an endless reply is a failure, and nothing unprintable is said`() {
        var dialog = SMTPDialog(name: "x")
        let limit = SMTPDialog.longestReply
        #expect(dialog.heard(Array(repeating: 0x78, count: limit)) == .wait)
        #expect(
            dialog.heard([0x78])
                == .over(.failure(.malformed("greeting reply longer than \(limit) octets"))))
        dialog = SMTPDialog(name: "x")
        let lines = Array(repeating: Array("220-a\r\n".utf8), count: limit / 7 + 1).joined()
        #expect(dialog.heard(lines) == .over(.failure(.malformed("greeting reply longer than \(limit) octets"))))
        dialog = SMTPDialog(name: "x")
        #expect(dialog.heard([0x1B, 0x5B, 0xFF, 0x0A]) == .over(.failure(.answer("greeting reply: ?[?"))))
    }
}

@Suite struct DNSQuestionTests {
    private func question(_ name: String, _ type: DNSProbe.RecordType = .soa, id: UInt16 = 0x1234) -> DNSQuestion {
        var probe = DNSProbe()
        probe.name = name
        probe.recordType = type
        return DNSQuestion(probe, id: id)
    }

    @Test func `the question is RFC 1035's`() {
        let header: [UInt8] = [0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]
        #expect(question(".").message == header + [0, 0, 6, 0, 1])
        let name: [UInt8] = [3, 0x77, 0x77, 0x77, 2, 0x64, 0x65, 0]
        #expect(question("www.de", .aaaa).message == header + name + [0, 28, 0, 1])
        #expect(question("www.de.", .dnskey).message == header + name + [0, 48, 0, 1])
    }

    @Test func `an answer has the id, is an answer, and says no error`() {
        let question = question("www.de")
        func outcome(_ octets: [UInt8]) -> ProbeOutcome? { question.outcome(of: octets + [0, 1, 0, 0, 0, 0, 0, 0]) }
        #expect(outcome([0x12, 0x34, 0x81, 0x80]) == .success)
        #expect(outcome([0x12, 0x34, 0x83, 0x80]) == .success, "truncated by the server, as keepalived has it")
        #expect(outcome([0x12, 0x34, 0x81, 0x83]) == .failure(.answer("NXDOMAIN")))
        #expect(outcome([0x12, 0x34, 0x81, 0x8F]) == .failure(.answer("RCODE 15")))
        #expect(outcome([0x12, 0x35, 0x81, 0x80]) == nil, "another id")
        #expect(outcome([0x12, 0x34, 0x01, 0x80]) == nil, "a question")
    }

    @Test func `no datagram traps, and a cut header is no answer`() {
        let question = question("www.de")
        let answer: [UInt8] = [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0]
        for count in 0..<12 { #expect(question.outcome(of: answer.prefix(count)) == nil) }
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<2000 {
            let octets = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let outcome = question.outcome(of: octets)
            #expect(outcome == nil || octets.starts(with: [0x12, 0x34]))
        }
    }
}

@Suite struct DatagramReplyTests {
    @Test func `a reply to UDP_CHECK counts when require_reply says what it begins with`() {
        var probe = UDPProbe()
        probe.minimumReplyLength = 2
        #expect(probe.outcome(of: []) == .success)
        probe.requiresReply = true
        #expect(probe.outcome(of: []) == .success, "as in keepalived, lengths count with octets only")
        probe.reply = [MaskedOctet(value: 0x0A), MaskedOctet(value: 0x40, mask: 0xF0), MaskedOctet(value: 9)]
        #expect(probe.outcome(of: [0x0A, 0x47, 9, 1, 2]) == .success)
        #expect(probe.outcome(of: [0x0A, 0x47]) == .success, "as far as both go")
        #expect(probe.outcome(of: [0x0A, 0x57]) == .failure(.answer("a reply that begins otherwise")))
        #expect(probe.outcome(of: [0x0A]) == .failure(.answer("a reply of 1 octets, not 2")))
        probe.maximumReplyLength = 4
        #expect(probe.outcome(of: [0x0A, 0x47, 9, 1, 2]) == .failure(.answer("a reply of more than 4 octets")))
        #expect(probe.replyCapacity == 5)
        probe.minimumReplyLength = 9
        #expect(probe.outcome(of: [0x0A, 0x47, 9, 1]) != .success, "no length is right")
    }

    @Test(arguments: [false, true]) func `only an echo that brings everything back is one`(isIPv6: Bool) {
        var generator = SeededGenerator(seed: 1)
        let request = EchoRequest(isIPv6: isIPv6, using: &generator)
        #expect(request.message.count == 136 && request.message[0] == (isIPv6 ? 128 : 8))
        var reply = request.message
        reply[0] = isIPv6 ? 129 : 0
        (reply[2], reply[3], reply[4], reply[5]) = (1, 2, 3, 4)  // The kernel's: checksum and identifier.
        #expect(request.outcome(of: reply) == .success)
        #expect(request.outcome(of: request.message) == nil)
        #expect(request.outcome(of: reply.dropLast()) == nil && request.outcome(of: []) == nil)
        for place in [0, 1, 6, 7, 8, 135] {
            var other = reply
            other[place] ^= 1
            #expect(request.outcome(of: other) == nil, "octet \(place)")
        }
    }
}
