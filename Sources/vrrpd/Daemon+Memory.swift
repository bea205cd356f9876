// What outlives the process: who was master when (see Heartbeat), and which instances an operator has made step down.

import Platform
import VRRP

extension Daemon {
    /// Identities of the instances that stepped down and were not resumed.
    func loadSteppedDown() -> Set<String> {
        do throws(Errno) {
            let text = String(decoding: try steppedDown.read() ?? [], as: UTF8.self)
            return Set(text.split(separator: "\n").map(String.init))
        } catch {
            logger.warning("\(steppedDown.path): \(error); instances that stepped down take part again")
            return []
        }
    }

    /// Remembers which instances have stepped down. After the step itself: no election waits for a disk.
    func saveSteppedDown() {
        let identities = instances.filter { routers[$0.name]?.isSteppedDown ?? false }.map(\.identity)
        do throws(Errno) {
            try FileSystem.makeDirectory(options.stateDirectory, mode: 0o755)
            try steppedDown.replace(with: Array(identities.map { $0 + "\n" }.joined().utf8), durable: false)
            alarms.set("stepped-down", nil)
        } catch {
            alarms.set(
                "stepped-down",
                Alarms.Alarm(
                    message: "\(steppedDown.path): \(error)",
                    remedy: "a restart would forget who stepped down; make the directory writable"))
        }
    }

    /// Starts the heartbeat file over; `masters` have just advertised.
    func writeHeartbeat(masters: Set<String>) {
        do throws(Errno) {
            try FileSystem.makeDirectory(options.runDirectory + "/private", mode: 0o750)
            let identities = instances.filter { masters.contains($0.name) }.map(\.identity)
            try heartbeat.begin(instances.map(\.identity), masters: Set(identities))
            alarms.set("heartbeat", nil)
        } catch {
            alarms.set(
                "heartbeat",
                Alarms.Alarm(
                    message: "\(options.runDirectory)/private: \(error)",
                    remedy: "a restart will be a failover; make the directory writable"))
        }
    }
}
