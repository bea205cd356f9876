// The state file: written whole at the end of a turn that changed something, and not again before twenty times as long as that took, so that
// a large table under a storm of verdicts costs 5 % and a small one is never behind. Decisions of people are different: they are on
// the disk before the caller gets an answer.

import Configuration
import IPVS
import Net
import Platform

final class StateKeeper {
    private static let restRatio = 20

    /// What is remembered; `changed` after a change.
    var memory: Memory
    private let file: StateFile
    private let boot = SystemClock.bootID
    private let loop: EventLoop
    private let logger: Logger
    private var timer: LoopTimer?
    private var isDirty = false

    /// Reads the file in `directory`, which is made when it is missing.
    init(directory: String, loop: EventLoop, logger: Logger) {
        self.loop = loop
        self.logger = logger
        file = StateFile("ipvsd.state", in: directory)
        var text = ""
        do throws(Errno) {
            try FileSystem.makeDirectory(directory, mode: 0o750)
            let octets = try file.read()
            text = String(decoding: octets ?? [], as: UTF8.self)
            if octets != nil, !Memory.isReadable(text) {
                logger.error(
                    "\(file.path): not a state file; decisions made by hand are lost: repeat them with 'lbctl server'")
            }
        } catch {
            logger.error("\(file.path): \(error); decisions made by hand are not remembered")
        }
        memory = Memory(parsing: text, boot: boot)
        timer = loop.timer { [weak self] in self?.save() }
    }

    /// The memory changed: written soon.
    func changed() {
        guard !isDirty else { return }
        isDirty = true
        guard timer?.deadline == nil else { return }
        loop.soon { [weak self] in self?.save() }
    }

    /// Writes now what is not written yet.
    func save(durable: Bool = false) {
        guard isDirty || durable else { return }
        isDirty = false
        let start = SystemClock.now
        do throws(Errno) {
            try file.replace(with: Array(memory.text(boot: boot).utf8), durable: durable)
        } catch {
            logger.error("\(file.path): \(error)")
        }
        timer?.arm(after: (SystemClock.now - start) * Self.restRatio)
    }
}
