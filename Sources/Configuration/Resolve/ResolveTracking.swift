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

    mutating func resolveSyncGroups(
        _ drafts: [Parsed<SyncGroupDraft>], _ configuration: Configuration
    ) -> [SyncGroupConfiguration] {
        var taken: [String: Word] = [:]
        var memberOf: [String: Word] = [:]
        return drafts.compactMap { parsed in
            guard let name = uniqueName(parsed, &taken) else { return nil }
            var group = parsed.draft.model
            group.name = name
            group.members = resolveMembers(parsed, configuration, &memberOf)
            let lists = resolveTracks(parsed.draft.tracked, configuration)
            group.trackedInterfaces = lists.interfaces
            group.trackedScripts = lists.scripts
            group.trackedFiles = lists.files
            group.trackedProcesses = lists.processes
            return group
        }
    }

    private mutating func resolveMembers(
        _ parsed: Parsed<SyncGroupDraft>, _ configuration: Configuration, _ memberOf: inout [String: Word]
    ) -> [String] {
        var members: [String] = []
        for word in parsed.draft.members {
            guard configuration.instances.contains(where: { $0.name == word.text }) else {
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
        for index in configuration.instances.indices where steady.contains(configuration.instances[index].name) {
            let instance = configuration.instances[index]
            let weighted =
                instance.trackedInterfaces + instance.trackedScripts + instance.trackedFiles + instance.trackedProcesses
            guard weighted.contains(where: { $0.weight != 0 }) else { continue }
            for place in instance.trackedInterfaces.indices {
                configuration.instances[index].trackedInterfaces[place].weight = 0
            }
            configuration.instances[index].trackedScripts.removeAll { $0.weight != 0 }
            configuration.instances[index].trackedFiles.removeAll { $0.weight != 0 }
            configuration.instances[index].trackedProcesses.removeAll { $0.weight != 0 }
            guard let parsed = drafts.first(where: { $0.opener.arguments.first?.text == instance.name }) else {
                continue
            }
            reporter.warning(
                .adjusted, at: parsed.opener.arguments.first ?? parsed.opener.keyword,
                "weights of what \(instance.name) tracks are ignored in its sync group",
                remedy: "write sync_group_tracking_weight in the group, or weight 0")
        }
    }

    /// Track lists of an instance or a sync group.
    mutating func resolveTracks(
        _ lists: TrackLists, _ configuration: Configuration
    ) -> (interfaces: [TrackedObject], scripts: [TrackedObject], files: [TrackedObject], processes: [TrackedObject]) {
        func table(_ items: [(String, (weight: Int, isReversed: Bool))]) -> [String: (weight: Int, isReversed: Bool)] {
            Dictionary(items, uniquingKeysWith: { first, _ in first })
        }
        return (
            resolveInterfaces(lists.interfaces),
            resolveTracked(
                lists.scripts, of: "vrrp_script",
                known: table(configuration.scripts.map { ($0.name, ($0.weight, $0.isReversed)) })),
            resolveTracked(
                lists.files, of: "track_file",
                known: table(configuration.trackFiles.map { ($0.name, ($0.weight, $0.isReversed)) })),
            resolveTracked(
                lists.processes, of: "vrrp_track_process",
                known: table(configuration.trackProcesses.map { ($0.name, ($0.weight, $0.isReversed)) }))
        )
    }
}
