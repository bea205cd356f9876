// `lbctl alert`: whether people would hear of it.
import ArgumentParser
import Bus

struct AlertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alert",
        abstract: "Alerts by mail and webhook: try them.",
        discussion: """
            Examples:
              lbctl alert test
            """,
        subcommands: [Test.self])

    struct Test: BusCommand {
        static let configuration = CommandConfiguration(
            commandName: "test",
            abstract: "Send a test message to everybody now, and show what the servers say.",
            discussion: """
                Waits for the mail server, at most 330 s unless --timeout says otherwise. The exit status is 0 when \
                everybody's server took the message, 4 when some did, 1 when none did.

                Examples:
                  lbctl alert test
                  lbctl alert test --json | \\
                      jq -r '.deliveries[] | [.receiver, .delivered, .answer] | @tsv'
                """)
        @OptionGroup var bus: BusOptions
        @OptionGroup var output: OutputOptions

        func answer(from daemons: some Daemons) throws(Failure) -> Shown { shown(try test(daemons)) }

        func run() throws {
            let answer = try test(bus.link)
            try StandardOutput.show(shown(answer), json: output.json)
            if let failure = Self.failure(of: try answer.decoded().deliveries) { throw failure }
        }

        private func test(_ daemons: some Daemons) throws(Failure) -> Answer<CheckAPI.TestAlerts> {
            try daemons.call(CheckAPI.TestAlerts(), timeout: bus.limit ?? .seconds(330))
        }

        private func shown(_ answer: Answer<CheckAPI.TestAlerts>) -> Shown {
            Shown(wire: [answer.parameters]) { screen throws(Failure) in
                let deliveries = try answer.decoded().deliveries
                guard !deliveries.isEmpty else { return }
                var table = Table("RECEIVER", "RESULT", .number("TOOK"), "ANSWER")
                for delivery in deliveries {
                    table.row(
                        Cell(delivery.receiver), delivery.delivered ? Cell("taken", .good) : Cell("NOT TAKEN", .bad),
                        Cell("\(delivery.durationMilliseconds) ms"), Cell(delivery.answer))
                }
                screen.add(table)
            }
        }

        /// Who did not get it; nil: everybody did.
        static func failure(of deliveries: [CheckAPI.AlertDelivery]) -> Failure? {
            let taken = deliveries.filter(\.delivered).map(\.receiver)
            let refused = deliveries.filter { !$0.delivered }.map(\.receiver)
            guard !deliveries.isEmpty else {
                return .notDone(
                    "nobody is to be alerted; the configuration needs notification_email with smtp_server, or notify_webhook"
                )
            }
            guard !refused.isEmpty else { return nil }
            guard taken.isEmpty else {
                return .inPart(done: taken, undone: refused, remedy: "see what their servers answered, above")
            }
            return .notDone("no message was taken: see what the servers answered, above")
        }
    }
}
