// Outputs that something left behind still holds open, after its program has ended. They count for nothing but themselves: who goes on
// printing is read, and when there are too many the oldest is closed, of the program that leaves most.

/// Outputs of what programs left behind.
struct LeftBehind {
    /// Outputs at once.
    static let limit = 256
    private var processes: [ScriptProcess] = []

    var count: Int { processes.count }

    /// One more.
    mutating func add(_ process: ScriptProcess) {
        processes.append(process)
        guard processes.count > Self.limit else { return }
        let counts = Dictionary(processes.map { ($0.request.arguments, 1) }, uniquingKeysWith: +)
        let most = counts.values.max()
        if let oldest = processes.firstIndex(where: { counts[$0.request.arguments] == most }) {
            processes.remove(at: oldest).closeOutput()
        }
    }

    /// It has closed its output.
    mutating func remove(_ process: ScriptProcess) {
        processes.removeAll { $0 === process }
    }
}
