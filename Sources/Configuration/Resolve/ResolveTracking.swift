// Scripts, track files, track processes and sync groups.

extension Interpreter {
    mutating func resolveScripts(_ drafts: [Parsed<ScriptDraft>]) -> [TrackScriptConfiguration] {
        var taken: [String: Word] = [:]
        return drafts.compactMap { parsed in
            guard let name = uniqueName(parsed, &taken), var command = parsed.draft.command else { return nil }
            if let user = parsed.draft.user { command.user = user }
            var script = parsed.draft.model
            script.name = name
            script.command = command
            script.timeout = parsed.draft.timeout ?? script.interval
            return script
        }
    }

    mutating func resolveTrackFiles(_ drafts: [Parsed<TrackFileDraft>]) -> [TrackFileConfiguration] {
        var taken: [String: Word] = [:]
        return drafts.compactMap { parsed in
            guard let name = uniqueName(parsed, &taken), let path = parsed.draft.path else { return nil }
            var file = parsed.draft.model
            file.name = name
            file.path = path
            return file
        }
    }

    mutating func resolveTrackProcesses(_ drafts: [Parsed<TrackProcessDraft>]) -> [TrackProcessConfiguration] {
        var taken: [String: Word] = [:]
        return drafts.compactMap { parsed in
            guard let name = uniqueName(parsed, &taken) else { return nil }
            var process = parsed.draft.model
            process.name = name
            // None may run.
            if process.maximum == 0, process.quorum <= 1 { process.quorum = 0 }
            if let most = process.maximum, most < process.quorum {
                reporter.warning(
                    .contradiction, at: parsed.place(of: "quorum_max"),
                    "quorum_max \(most) is below quorum \(process.quorum) and ignored",
                    remedy: "write a quorum_max that is not below quorum")
                process.maximum = nil
            }
            process.parameters = parsed.draft.parameters ?? (process.process.count > 1 ? .exact : .any)
            if !process.matchesFullCommand, process.parameters == .any { checkName(of: process, parsed) }
            return process
        }
    }

    /// A group without interfaces or limits, and an interface in two groups, are mistakes of the file, as in keepalived.
    mutating func resolveGARPGroups(_ drafts: [Parsed<GARPGroupDraft>]) -> [GARPGroupConfiguration] {
        var taken: Set<String> = []
        return drafts.map { parsed in
            var group = parsed.draft.model
            if group.interfaces.isEmpty {
                reporter.warning(
                    .missingValue, at: parsed.opener.keyword, "garp_group names no interface",
                    remedy: "write interface IF, or interfaces { IF… }")
            }
            if group.interval == .zero, group.neighbourInterval == .zero {
                reporter.warning(
                    .missingValue, at: parsed.opener.keyword, "garp_group limits nothing",
                    remedy: "write garp_interval SECONDS or gna_interval SECONDS")
            }
            for name in group.interfaces where !taken.insert(name).inserted {
                reporter.warning(
                    .duplicateKeyword, at: parsed.opener.keyword,
                    "\(name) is in a garp_group already; the first counts")
            }
            var seen: Set<String> = []
            group.interfaces = group.interfaces.filter { seen.insert($0).inserted }
            return group
        }
    }

    mutating func resolveTrackUnits(_ drafts: [Parsed<TrackUnitDraft>]) -> [TrackUnitConfiguration] {
        var taken: [String: Word] = [:]
        return drafts.compactMap { parsed in
            guard let name = uniqueName(parsed, &taken), let unit = parsed.draft.unit else { return nil }
            guard !unit.isEmpty, !unit.contains("/"), unit.utf8.count < 200 else {
                reporter.error(
                    .badValue, at: parsed.place(of: "unit"), "\(quoted(unit)) is no name of a unit",
                    remedy: "see \"systemctl list-units\"")
                return nil
            }
            var block = parsed.draft.model
            block.name = name
            block.unit = unit.contains(".") ? unit : unit + ".service"
            return block
        }
    }

    /// The kernel keeps 15 octets of a process's name, without directories; keepalived compares all of it, and finds nothing.
    private mutating func checkName(of process: TrackProcessConfiguration, _ parsed: Parsed<TrackProcessDraft>) {
        guard let program = process.process.first, program.contains("/") || program.utf8.count > 15 else { return }
        reporter.warning(
            .adjusted, at: parsed.place(of: "process"),
            "a process's name has at most 15 bytes and no directories; so much of \(quoted(program)) is compared",
            remedy: "write full_command to compare the command line's program")
    }

    mutating func resolveSyncGroups(
        _ drafts: [Parsed<SyncGroupDraft>], _ configuration: Configuration
    ) -> [SyncGroupConfiguration] {
        var taken: [String: Word] = [:]
        var memberOf: [String: Word] = [:]
        let known = Set(configuration.instances.map(\.name))
        return drafts.compactMap { parsed in
            guard let name = uniqueName(parsed, &taken) else { return nil }
            var group = parsed.draft.model
            group.name = name
            group.members = resolveMembers(parsed, among: known, configuration, &memberOf)
            let lists = resolveTracks(parsed.draft.tracked, configuration)
            group.trackedInterfaces = lists.interfaces
            group.trackedScripts = lists.scripts
            group.trackedFiles = lists.files
            group.trackedProcesses = lists.processes
            group.trackedUnits = lists.units
            group.trackedSessions = lists.sessions
            return group
        }
    }

    /// Groups of instances that need static things; an instance may be in several.
    mutating func resolveTrackGroups(
        _ drafts: [Parsed<TrackGroupDraft>], _ configuration: Configuration
    ) -> [TrackGroupConfiguration] {
        var taken: [String: Word] = [:]
        let known = Set(configuration.instances.map(\.name))
        let groups = drafts.compactMap { parsed -> TrackGroupConfiguration? in
            guard let name = uniqueName(parsed, &taken) else { return nil }
            for word in parsed.draft.members where !known.contains(word.text) && !failedInstances.contains(word.text) {
                sayUnknownReference(word, "vrrp_instance", known.sorted())
            }
            return TrackGroupConfiguration(name: name, members: Set(parsed.draft.members.map(\.text)))
        }
        for word in trackGroups where taken[word.text] == nil {
            sayUnknownReference(word, "track_group", taken.keys.sorted())
        }
        return groups
    }

    private mutating func resolveMembers(
        _ parsed: Parsed<SyncGroupDraft>, among known: Set<String>, _ configuration: Configuration,
        _ memberOf: inout [String: Word]
    ) -> [String] {
        var members: [String] = []
        for word in parsed.draft.members {
            guard known.contains(word.text) else {
                if !failedInstances.contains(word.text) {
                    sayUnknownReference(word, "vrrp_instance", configuration.instances.map(\.name))
                }
                continue
            }
            if let other = memberOf[word.text] {
                reporter.error(
                    .contradiction, at: word, "\(word.text) is in a sync group already",
                    remedy: "name it once", notes: [(other, "the other place")])
                continue
            }
            memberOf[word.text] = word
            members.append(word.text)
        }
        if parsed.has("group"), parsed.draft.members.isEmpty {
            reporter.error(
                .missingValue, at: parsed.place(of: "group"), "\(parsed.opener.title) has no members",
                remedy: "write instances between the braces of group")
        } else if members.count == 1 {
            reporter.warning(
                .contradiction, at: parsed.place(of: "group"), "a sync group of one instance keeps nothing together",
                remedy: "add the other instances, or remove the group")
        }
        return members
    }

    /// In a group without `sync_group_tracking_weight` priorities do not move: an interface counts as a fault, a script or
    /// file with a weight not at all.
    mutating func dropGroupedWeights(_ drafts: [Parsed<InstanceDraft>], _ configuration: inout Configuration) {
        let steady = Set(configuration.syncGroups.filter { !$0.usesTrackingWeights }.flatMap(\.members))
        guard !steady.isEmpty else { return }
        let names = Dictionary(
            drafts.compactMap(\.opener.arguments.first).map { ($0.text, $0) }, uniquingKeysWith: { first, _ in first })
        for index in configuration.instances.indices where steady.contains(configuration.instances[index].name) {
            let instance = configuration.instances[index]
            let weighted =
                instance.trackedInterfaces + instance.trackedScripts + instance.trackedFiles + instance.trackedProcesses
                + instance.trackedUnits + instance.trackedSessions
            guard weighted.contains(where: { $0.weight != 0 }) else { continue }
            for place in instance.trackedInterfaces.indices {
                configuration.instances[index].trackedInterfaces[place].weight = 0
            }
            configuration.instances[index].trackedScripts.removeAll { $0.weight != 0 }
            configuration.instances[index].trackedFiles.removeAll { $0.weight != 0 }
            configuration.instances[index].trackedProcesses.removeAll { $0.weight != 0 }
            configuration.instances[index].trackedUnits.removeAll { $0.weight != 0 }
            configuration.instances[index].trackedSessions.removeAll { $0.weight != 0 }
            guard let word = names[instance.name] else { continue }
            reporter.warning(
                .adjusted, at: word,
                "weights of what \(instance.name) tracks are ignored in its sync group: an interface that is down is FAULT of the whole "
                    + "group, and of the rest nothing counts",
                remedy: "write sync_group_tracking_weight in the group, or weight 0")
        }
    }

    /// Track lists of an instance or a sync group.
    struct ResolvedTracks {
        var interfaces: [TrackedObject] = []
        var scripts: [TrackedObject] = []
        var files: [TrackedObject] = []
        var processes: [TrackedObject] = []
        var units: [TrackedObject] = []
        var sessions: [TrackedObject] = []
    }

    mutating func resolveTracks(
        _ lists: TrackLists, _ configuration: Configuration, own interface: String? = nil
    ) -> ResolvedTracks {
        var tracks = ResolvedTracks()
        tracks.interfaces = resolveInterfaces(lists.interfaces, own: interface)
        tracks.scripts = resolveTracked(lists.scripts, of: "vrrp_script", among: configuration.scripts)
        tracks.files = resolveTracked(lists.files, of: "track_file", among: configuration.trackFiles)
        tracks.processes = resolveTracked(
            lists.processes, of: "vrrp_track_process", among: configuration.trackProcesses)
        tracks.units = resolveTracked(lists.units, of: "track_unit", among: configuration.trackUnits)
        let sessions = lists.sessions.filter {
            session($0.word, in: configuration, of: \.tellsInstances, spelled: "vrrp") != nil
        }
        tracks.sessions = resolveTracked(sessions, of: "bfd_instance", among: configuration.bfdSessions)
        return tracks
    }

    private mutating func resolveTracked(
        _ drafts: [TrackDraft], of kind: String, among blocks: [some TrackedBlock]
    ) -> [TrackedObject] {
        guard !drafts.isEmpty else { return [] }
        if trackable[kind] == nil {
            let known = blocks.map { ($0.name, (weight: $0.weight, isReversed: $0.isReversed)) }
            trackable[kind] = Dictionary(known, uniquingKeysWith: { first, _ in first })
        }
        return resolveTracked(drafts, of: kind, known: trackable[kind] ?? [:])
    }
}

/// A block that instances track by its name; its weight counts where their line has none.
private protocol TrackedBlock {
    var name: String { get }
    var weight: Int { get }
    var isReversed: Bool { get }
}

extension TrackScriptConfiguration: TrackedBlock {}
extension TrackFileConfiguration: TrackedBlock {}
extension TrackProcessConfiguration: TrackedBlock {}
extension TrackUnitConfiguration: TrackedBlock {}
extension BFDConfiguration: TrackedBlock {}
