// `lbctl alert test`: what is shown, and how it ends.
import ArgumentParser
import Bus
import JSON
import Testing
import Varlink

@testable import lbctl

@Suite struct AlertTests {
    private func deliveries(_ results: [Bool]) -> [CheckAPI.AlertDelivery] {
        results.enumerated().map { index, delivered in
            CheckAPI.AlertDelivery(
                receiver: "r\(index)@example.com", delivered: delivered,
                answer: delivered ? "250 ok" : "550 no such user", durationMilliseconds: 12)
        }
    }

    @Test(arguments: zip([[true, true], [true, false], [false], []], [0, 4, 1, 1] as [Int32]))
    func `the exit status says who got it`(_ results: [Bool], _ status: Int32) {
        #expect(AlertCommand.Test.failure(of: deliveries(results))?.status.rawValue ?? 0 == status)
    }

    @Test func `each receiver is a line with what his server said`() throws {
        let daemons = ScriptedDaemons()
        daemons.attach(.checkd)
        let reply = CheckAPI.TestAlerts.Reply(deliveries: deliveries([true, false]))
        daemons["Check.TestAlerts"] = .replies([reply.object])
        let shown = try AlertCommand.Test.parse([]).answer(from: daemons)
        #expect(
            try text(shown) == """
                RECEIVER        RESULT      TOOK  ANSWER
                r0@example.com  taken      12 ms  250 ok
                r1@example.com  NOT TAKEN  12 ms  550 no such user

                """)
    }
}
