// Drafts → the typed model: names are looked up, defaults that depend on other values are filled in, what contradicts
// itself is said or put right as keepalived does it. This file holds what all blocks need, and the order.
import Net

extension Interpreter {
    /// The whole model. Where something is wrong an error has been said, and what is left out does not matter.
    mutating func resolve(_ file: FileDraft) -> Configuration {
        global.networkNamespace = file.networkNamespace
        global.ipvsNamespace = file.ipvsNamespace
        var configuration = Configuration(global: global)
        configuration.staticAddresses = file.staticAddresses
        configuration.staticRoutes = file.staticRoutes
        configuration.staticRules = file.staticRules
        configuration.trackFiles = resolveTrackFiles(file.trackFiles)
        trackFiles = Dictionary(configuration.trackFiles.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        configuration.trackProcesses = resolveTrackProcesses(file.trackProcesses)
        configuration.trackUnits = resolveTrackUnits(file.trackUnits)
        configuration.bfdSessions = resolveBFD(file.bfdSessions)
        sessions = Dictionary(configuration.bfdSessions.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        configuration.scripts = resolveScripts(file.scripts)
        configuration.instances = resolveInstances(file.instances, configuration)
        configuration.syncGroups = resolveSyncGroups(file.syncGroups, configuration)
        configuration.garpGroups = resolveGARPGroups(file.garpGroups)
        configuration.trackGroups = resolveTrackGroups(file.trackGroups, configuration)
        dropGroupedWeights(file.instances, &configuration)
        resolveLinkDelays(file.linkDelays, &configuration)
        resolveClientIdentity(file.clientIdentity)
        configuration.virtualServers = resolveVirtualServers(file, configuration)
        resolveSyncDaemon(&configuration)
        sayUnusedSessions(file.bfdSessions, configuration)
        return configuration
    }

    /// The name after a block's keyword; errors when it is missing or taken.
    mutating func uniqueName<Draft>(_ parsed: Parsed<Draft>, _ taken: inout [String: Word]) -> String? {
        guard let word = parsed.opener.arguments.first else {
            reporter.error(
                .missingValue, at: parsed.opener.keyword, "\(parsed.opener.keyword.text) needs a name",
                remedy: "write \(parsed.opener.keyword.text) NAME {")
            return nil
        }
        ignoreExtra(parsed.opener.arguments.dropFirst(), parsed.opener)
        if let other = taken[word.text] {
            reporter.error(
                .duplicateName, at: word, "there is a \(parsed.opener.keyword.text) \(word.text) already",
                remedy: "give one of them another name", notes: [(other, "the other one")])
            return nil
        }
        taken[word.text] = word
        return word.text
    }

    /// Tracked names with their weights; errors for names that nothing defines.
    mutating func resolveTracked(
        _ drafts: [TrackDraft], of kind: String, known: [String: (weight: Int, isReversed: Bool)]
    ) -> [TrackedObject] {
        var seen: Set<String> = []
        return drafts.compactMap { draft in
            let name = draft.word.text
            guard let target = known[name] else {
                sayUnknownReference(draft.word, kind, Array(known.keys))
                return nil
            }
            guard seen.insert(name).inserted else {
                reporter.warning(.duplicateKeyword, at: draft.word, "\(name) is tracked twice; the first line counts")
                return nil
            }
            return TrackedObject(
                name, weight: draft.weight ?? target.weight, isReversed: draft.isReversed ?? target.isReversed)
        }
    }

    mutating func sayUnknownReference(_ word: Word, _ kind: String, _ known: [String]) {
        let near = closest(to: word.text, in: known)
        reporter.error(
            .unknownReference, at: word, "there is no \(kind) \(word.text)",
            remedy: near.map { "did you mean \($0)?" } ?? "add a block \(kind) \(word.text) { … }")
    }

    private mutating func resolveSyncDaemon(_ configuration: inout Configuration) {
        guard let word = syncDaemonInstance, let daemon = configuration.global.syncDaemon else { return }
        guard let instance = configuration.instances.first(where: { $0.name == daemon.instance }) else {
            return sayUnknownReference(word, "vrrp_instance", configuration.instances.map(\.name))
        }
        if !syncDaemonHasID { configuration.global.syncDaemon?.syncID = instance.virtualRouterID }
    }

    /// What depends on the machine: each thing once.
    mutating func checkMachine(_ machine: some MachineFacts, isStrict: Bool) {
        let severity: Diagnostic.Severity = isStrict ? .error : .warning
        sayMisplaced(machine)
        var seen: Set<String> = []
        for (word, pattern) in patterns {
            guard let problem = machine.problem(withPattern: pattern) else { continue }
            sayMachine(
                .error, word, "\(quoted(pattern.pattern)) is no regular expression: \(problem)",
                remedy: "pcre2pattern(3) has the language; quote what the configuration would take for its own")
        }
        for (word, path) in files where seen.insert("f \(path)").inserted {
            guard let problem = machine.problem(withFile: path) else { continue }
            sayMachine(
                severity, word, "\(path) cannot be read: \(problem)",
                remedy: "nothing that needs it is checked until it is there: name the right file")
        }
        for (word, name) in namespaces where seen.insert("n \(name)").inserted {
            guard let (problem, remedy) = machine.problem(withNamespace: name) else { continue }
            sayMachine(severity, word, problem, remedy: remedy)
        }
        for (word, name, _) in interfaces.sorted(by: { $0.turn < $1.turn })
        where machine.hasInterface(name, in: global.networkNamespace) == false && seen.insert("i " + name).inserted {
            let place = global.networkNamespace.map { "net_namespace \($0)" } ?? "this machine"
            let option = global.networkNamespace.map { "-n \($0) " } ?? ""
            sayMachine(
                severity, word, "\(place) has no interface \(name)",
                remedy: "see \"ip \(option)link\" for its interfaces")
        }
        for (word, user, _) in users.sorted(by: { $0.turn < $1.turn })
        where seen.insert("u \(user.user) \(user.group ?? "")").inserted {
            if machine.hasUser(user.user) == false {
                sayMachine(
                    severity, word, "this machine has no user \(user.user)", remedy: "create it, or name another one")
            }
            if let group = user.group, machine.hasGroup(group) == false {
                sayMachine(
                    severity, word, "this machine has no group \(group)", remedy: "create it, or name another one")
            }
        }
        for (word, program, user, _) in commands.sorted(by: { $0.turn < $1.turn })
        where seen.insert("c \(program) \(user?.user ?? "")").inserted {
            if let problem = machine.problem(withProgram: program) {
                sayMachine(
                    severity, word, "\(program) cannot be run: \(problem)",
                    remedy: "scripts run without a shell; name a program with its path")
            } else if runsAsRoot(user, machine), let part = machine.replaceablePart(ofProgram: program) {
                sayMachine(
                    severity, word,
                    "\(program) runs as root, and others can replace \(part)"
                        + (global.scriptSecurity ? ": with enable_script_security it is not run" : ""),
                    remedy: "chown root and chmod go-w it, or name another user with script_user")
            }
        }
    }

    /// As scriptd decides it.
    private func runsAsRoot(_ user: ScriptUser?, _ machine: some MachineFacts) -> Bool {
        guard let user else { return machine.hasUser("keepalived_script") == false }
        return user.user == "root" || user.user == "0"
    }

    private mutating func sayMachine(_ severity: Diagnostic.Severity, _ word: Word, _ message: String, remedy: String) {
        reporter.report(severity, .machine, at: word.place, length: word.length, message, remedy: remedy)
    }
}
