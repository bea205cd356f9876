// `lbctl snmp`: KEEPALIVED-MIB for Net-SNMP's snmpd.
import ArgumentParser
import Net
import Platform

struct SnmpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snmp",
        abstract: "Answer snmpd with the virtual routers and servers of KEEPALIVED-MIB, read-only.",
        discussion: """
            Nobody calls it: snmpd runs it, with this line in /etc/snmp/snmpd.conf, and its user in group evenkeel \
            ('usermod --append --groups evenkeel Debian-snmp', then restart snmpd):

              pass_persist \(KeepalivedObjects.root) /usr/bin/lbctl snmp

            Examples:
              printf 'getnext\\n\(KeepalivedObjects.root)\\n' | lbctl snmp
              snmpwalk -v2c -c public localhost KEEPALIVED-MIB::vrrpInstanceTable
            """)

    /// A walk asks for hundreds of objects: the daemons are asked once in so long.
    private static let freshness = Duration.seconds(2)

    @OptionGroup var bus: BusOptions

    func run() throws {
        let link = bus.link
        var kept: (objects: ObjectTree, at: Instant)?
        var trouble: String?
        let agent = PassPersist {
            if let kept, SystemClock.now - kept.at < Self.freshness { return kept.objects }
            var objects = ObjectTree()
            do throws(Failure) {
                objects = ObjectTree(
                    KeepalivedObjects(of: try StatusReport(from: link, keepsWire: false).status).values)
                trouble = nil
            } catch {
                if error.description != trouble { StandardError.say(error.description) }
                trouble = error.description
            }
            kept = (objects, SystemClock.now)
            return objects
        }
        while let command = readLine(), let answer = agent.answer(command, { readLine() }) {
            StandardOutput.write(answer)
        }
    }
}
