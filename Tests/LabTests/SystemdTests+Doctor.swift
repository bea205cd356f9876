// What `lbctl doctor` says of an installation under systemd: nothing of units that are as the package has them, and what an override breaks.
import JSON
import Testing

extension SystemdTests {
    /// What the doctor says of units: the findings' texts.
    private func units() throws -> [String] {
        let text = try guest.run(["/bin/bash", "-c", "lbctl doctor --json || test $? = 1"])
        guard case .object(let answer) = try JSONValue(parsing: Array(text.utf8)) else { return [text] }
        return (answer["findings"]?.array ?? []).compactMap { finding in
            guard case .object(let finding) = finding, finding["subject"]?.string?.hasSuffix(".service") == true else {
                return nil
            }
            return finding["what"]?.string
        }
    }

    @Test func `the doctor finds what overrides break`() throws {
        #expect(try units() == [])
        let directory = "/etc/systemd/system/evenkeel-ipvsd.service.d"
        try guest.run([
            "/bin/bash", "-ec",
            "mkdir -p \(directory); printf '[Service]\\nRestart=no\\nNice=1\\n' >\(directory)/mine.conf; systemctl daemon-reload",
        ])
        #expect(try units() == ["\(directory)/mine.conf makes Restart=no of always"])
        try guest.run(["/bin/bash", "-ec", "systemctl revert evenkeel-ipvsd.service; systemctl daemon-reload"])
        #expect(try units() == [])
    }
}
