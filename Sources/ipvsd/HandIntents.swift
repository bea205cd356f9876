// Additions by hand are in the kernel before the disk has them, because the kernel judges them. A process that is killed in between would leave
// services that look like somebody else's. So what is about to be added is noted first in a file of the run directory, which is memory: that takes
// microseconds and no disk, survives the process, and goes as soon as the file of decisions has it. The next process takes over what it finds.

import Configuration
import IPVS
import Net
import Platform

/// Where it is noted, so that a simulation can put a scripted file in its place.
protocol IntentStore: AnyObject {
    /// The content; nil when there is none that this user wrote.
    func read() -> [UInt8]?
    /// Replaces the content; nil removes it. Where that fails only the protection against being killed in this moment is missing.
    func replace(_ content: [UInt8]?)
}

final class IntentFile: IntentStore {
    private static let sizeLimit = 16 << 20
    private let path: String

    init(_ path: String) {
        self.path = path
    }

    func read() -> [UInt8]? { (try? FileSystem.ownContents(of: path, limit: Self.sizeLimit)) ?? nil }

    func replace(_ content: [UInt8]?) {
        if let content {
            try? FileSystem.replace(path, with: content, durable: false)
        } else {
            FileSystem.remove(path)
        }
    }
}

struct HandIntents {
    /// What was made by hand of a service.
    typealias Made = (VirtualServerIdentity) -> HandMade?

    private let store: any IntentStore
    /// Services that were added to and whose additions the disk may not have, as the next process is to have them; nil: there is nothing to note.
    private var noted: [VirtualServerIdentity: HandMade]?

    init(_ store: any IntentStore) {
        self.store = store
    }

    /// What an earlier process was about to make, or had made: it is later than what the disk has of these services.
    mutating func begun() -> [VirtualServerIdentity: HandMade] {
        noted = store.read().map { DecisionText(parsing: String(decoding: $0, as: UTF8.self)).handMade }
        return noted ?? [:]
    }

    /// These commands are about to be carried out. What is there already is not added: `present` has what the kernel has of the services that
    /// are added to, whoever made it. It would look as if we had made it, to the next process.
    mutating func begin(
        _ commands: [TableCommand], _ made: Made, present: [VirtualServerIdentity: Set<Endpoint>] = [:]
    ) {
        var next = noted ?? [:]
        var present = present
        for command in commands {
            guard case .change(let command) = command else {
                if case .flush = command { present = [:] }
                continue
            }
            let before = next[command.service] ?? made(command.service) ?? HandMade()
            switch command {
            case .addService where before.attributes == nil && present[command.service] == nil: break
            case .addDestination(let service, let endpoint, _)
            where before.servers[endpoint] == nil && present[service]?.contains(endpoint) != true:
                break
            case .deleteService(let service):
                present[service] = nil
                continue
            case .deleteDestination(let service, let endpoint):
                present[service]?.remove(endpoint)
                continue
            case .addService, .addDestination, .editService, .editDestination: continue
            }
            next[command.service] = before
            next[command.service]?.note(command)
        }
        note(next)
    }

    /// What was made of the noted services is known now, or has changed.
    mutating func update(_ made: Made) {
        guard let noted else { return }
        var next: [VirtualServerIdentity: HandMade] = [:]
        for service in noted.keys { next[service] = made(service) }
        note(next.filter { !$0.value.isEmpty })
    }

    /// The disk has everything.
    mutating func end() { note([:]) }

    private mutating func note(_ next: [VirtualServerIdentity: HandMade]) {
        guard next != noted ?? [:] || noted?.isEmpty == true else { return }
        noted = next.isEmpty ? nil : next
        store.replace(noted.map { Array(DecisionText(handMade: $0).text.utf8) })
    }
}
