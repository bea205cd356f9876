// The conversation rules of NetlinkClient against a scripted kernel: acknowledgement on the last message only, refusals attributed by
// sequence number, unknown outcomes reported as such, strangers' answers skipped.

import Netlink
import Testing

@Suite struct ClientTests {
    private static let ackFlag: UInt16 = 4

    private func batch(_ count: Int) throws -> NetlinkBatch {
        var batch = NetlinkBatch()
        for index in 0..<count {
            var message = NetlinkMessage(family: 28, command: 5, version: 1)
            message.put(1, UInt32(index))
            try batch.append(message)
        }
        return batch
    }

    /// Answers as the kernel does: every failure, and the acknowledgement of who asked for one.
    private func kernel(refusing refused: [UInt32: Int32] = [:]) -> ScriptedKernel {
        ScriptedKernel { requests in
            requests.compactMap { request in
                if let errno = refused[request.sequence] { return .datagram(acknowledgement(request, errno: errno)) }
                return request.flags & Self.ackFlag != 0 ? .datagram(acknowledgement(request)) : nil
            }
        }
    }

    @Test func `a batch asks for one acknowledgement per 200 messages`() throws {
        let kernel = kernel()
        #expect(try kernel.client().run(batch(450)).isEmpty)
        #expect(kernel.datagrams.map(\.count) == [200, 200, 50])
        for datagram in kernel.datagrams {
            #expect(datagram.filter { $0.flags & Self.ackFlag != 0 }.map(\.sequence) == [datagram.last?.sequence])
        }
    }

    @Test func `a message is laid out as the kernel reads it`() throws {
        let kernel = kernel()
        _ = try kernel.client().run(batch(1))
        #expect(
            kernel.datagrams == [
                [
                    ScriptedKernel.Request(
                        type: 28, flags: 5, sequence: 1,  // NLM_F_REQUEST | NLM_F_ACK
                        payload: [5, 1, 0, 0]  // command, version, reserved
                            + [8, 0, 1, 0, 0, 0, 0, 0])  // attribute 1, 8 octets with its header: 0
                ]
            ])
    }

    @Test func `refusals carry the index of their message and the kernel's errno`() throws {
        let kernel = kernel(refusing: [3: 17, 202: 2, 450: 3])
        let refusals = try kernel.client().run(batch(450))
        #expect(
            refusals == [
                NetlinkRefusal(index: 2, error: .refused(code: 17, message: "")),
                NetlinkRefusal(index: 201, error: .refused(code: 2, message: "")),
                NetlinkRefusal(index: 449, error: .refused(code: 3, message: "")),
            ])
    }

    @Test func `the kernel's own words are kept`() throws {
        let kernel = ScriptedKernel { requests in
            requests.map { .datagram(acknowledgement($0, errno: 22, text: "Unsupported family")) }
        }
        #expect(throws: NetlinkError.refused(code: 22, message: "Unsupported family")) {
            try kernel.client().run(NetlinkMessage(family: 28, command: 5, version: 1))
        }
    }

    @Test func `answers to abandoned requests are skipped`() throws {
        let kernel = ScriptedKernel { requests in
            requests.flatMap { request -> [ScriptedKernel.Answer] in
                let stale = ScriptedKernel.Request(type: 28, flags: 0, sequence: request.sequence &- 40, payload: [])
                return [.datagram(acknowledgement(stale, errno: 17)), .datagram(acknowledgement(request))]
            }
        }
        #expect(try kernel.client().run(batch(1)).isEmpty)
    }

    @Test(arguments: [NetlinkError.overrun, .timedOut])
    func `a lost answer means that the state is unknown`(_ failure: NetlinkError) throws {
        let kernel = ScriptedKernel { _ in [.failure(failure)] }
        #expect(failure.stateIsUnknown)
        #expect(throws: failure) { try kernel.client().run(batch(300)) }
        #expect(kernel.datagrams.count == 1, "nothing is sent after the loss")
    }

    @Test func `after a lost answer the socket is emptied before anything else is asked`() throws {
        // The second part of a dump is lost; the rest is still queued, and while it is the kernel refuses another dump (EBUSY).
        let row = message(type: 28, flags: 2, sequence: 1, [1, 1, 0, 0])
        let kernel = ScriptedKernel { requests in
            requests.flatMap { request -> [ScriptedKernel.Answer] in
                guard request.sequence == 1 else { return [.datagram(done(request))] }
                return [.datagram(row), .failure(.overrun), .datagram(row), .datagram(done(request))]
            }
        }
        let client = kernel.client()
        let dump = { try client.query(NetlinkMessage(family: 28, command: 4, version: 1, flags: 0x300)) { _ in } }
        #expect(throws: NetlinkError.overrun, performing: dump)
        #expect(kernel.unread == 0)
        try dump()
    }

    @Test func `a dump gives every message of every datagram`() throws {
        let kernel = ScriptedKernel { requests in
            requests.flatMap { request -> [ScriptedKernel.Answer] in
                let row = { (value: UInt32) in
                    message(type: 28, flags: 2, sequence: request.sequence, [1, 1, 0, 0] + attribute(7, octets(value)))
                }
                return [.datagram(row(10) + row(11)), .datagram(row(12) + done(request))]
            }
        }
        var values: [UInt32] = []
        try kernel.client().query(NetlinkMessage(family: 28, command: 4, version: 1, flags: 0x300)) { reply in
            values += reply.attributes(after: 4).compactMap { $0.number(UInt32.self) }
        }
        #expect(values == [10, 11, 12])
    }

    @Test func `a dump that the kernel marks as interrupted is not a snapshot`() throws {
        let kernel = ScriptedKernel { requests in
            requests.map { .datagram(message(type: 28, flags: 0x12, sequence: $0.sequence, [1, 1, 0, 0]) + done($0)) }
        }
        #expect(throws: NetlinkError.dumpInterrupted) {
            try kernel.client().query(NetlinkMessage(family: 28, command: 4, version: 1, flags: 0x300)) { _ in }
        }
    }

    @Test func `a dump that fails half way throws its errno`() throws {
        let kernel = ScriptedKernel { requests in requests.map { .datagram(done($0, errno: 12)) } }
        #expect(throws: NetlinkError.refused(code: 12, message: "")) {
            try kernel.client().query(NetlinkMessage(family: 28, command: 4, version: 1, flags: 0x300)) { _ in }
        }
    }

    @Test func `no cut of a reply traps`() throws {
        let row = message(type: 28, sequence: 1, [1, 1, 0, 0] + attribute(1, attribute(7, octets(UInt32(5)))))
        for length in 0...row.count {
            let cut = Array(row.prefix(length))
            cut.withUnsafeBytes { bytes in
                for reply in NetlinkDatagram(bytes) {
                    for attribute in reply.attributes(after: 4) { for inner in attribute.nested { _ = inner.string } }
                }
            }
        }
    }

    @Test func `an attribute of the wrong size reads as absent`() {
        let row = message(type: 28, sequence: 1, [1, 1, 0, 0] + attribute(7, [1, 2]))
        row.withUnsafeBytes { bytes in
            let value = NetlinkDatagram(bytes).first { _ in true }?.attributes(after: 4).first { $0.type == 7 }
            #expect(value?.number(UInt32.self) == nil)
            #expect(value?.number(UInt16.self) == 0x0201)
        }
    }

    @Test func `the real socket talks to the real kernel`() throws {
        // CTRL_CMD_GETFAMILY (3) on the generic netlink controller (16) needs no privilege; family name is attribute 2.
        let client = NetlinkClient(try NetlinkSocket(.generic))
        var request = NetlinkMessage(family: 16, command: 3, version: 1)
        request.put(2, "nlctrl")
        var identifier: UInt16?
        try client.query(request) { reply in
            identifier = reply.attributes(after: 4).first { $0.type == 1 }?.number()
        }
        #expect(identifier == 16)
        var missing = NetlinkMessage(family: 16, command: 3, version: 1)
        missing.put(2, "no-such-family")
        #expect(throws: NetlinkError.refused(code: 2, message: "")) { try client.run(missing) }
    }
}
