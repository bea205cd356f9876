// Checkers: schedule and target from checker, real server, virtual server and defaults; then what each kind asks. The
// defaults are those that keepalived 2.2.7 dumps for bare checkers.
import Net

extension Interpreter {
    /// One checker, or one for each `host` of an old SMTP_CHECK; none for what has no probe.
    mutating func resolveChecker(
        _ parsed: Parsed<CheckerDraft>, _ server: Endpoint, _ configuration: Configuration
    ) -> [CheckerConfiguration] {
        let draft = parsed.draft
        let target = resolveTarget(draft, server, parsed)
        guard let probe = resolveProbe(parsed, target, configuration) else { return [] }
        let schedule = resolveSchedule(parsed)
        settle(parsed) { draft in
            (draft.connectAddress, draft.connectPort) = (target.endpoint.address, target.endpoint.port)
            (draft.ownRetry, draft.fall) = (schedule.retry, schedule.fall)
            draft.check.delayBeforeRetry = schedule.delayBeforeRetry
            draft.check.warmup = schedule.warmup
        }
        if draft.kind == .smtp, !draft.smtpHosts.isEmpty {
            return draft.smtpHosts.map { host in
                var schedule = schedule
                schedule.connectTimeout = host.check.connectTimeout
                return CheckerConfiguration(
                    probe: probe, schedule: schedule, target: resolveTarget(host, server, parsed))
            }
        }
        let needsPort: Bool =
            switch probe {
            case .tcp, .http, .smtp, .dns, .udp: true
            case .ping, .misc, .file, .bfd: false
            }
        if needsPort, target.endpoint.port == 0 {
            reporter.error(
                .missingKeyword, at: parsed.opener.keyword, "\(parsed.opener.keyword.text) has no port to probe",
                remedy: "add connect_port N, or a port to real_server")
        }
        return [CheckerConfiguration(probe: probe, schedule: schedule, target: target)]
    }

    /// `draft` is the checker's own, or of one of its `host` blocks.
    private mutating func resolveTarget(
        _ draft: CheckerDraft, _ server: Endpoint, _ parsed: Parsed<CheckerDraft>
    ) -> CheckTarget {
        var target = CheckTarget(
            endpoint: Endpoint(draft.connectAddress ?? server.address, port: draft.connectPort ?? server.port))
        target.sourceAddress = draft.sourceAddress
        target.sourcePort = draft.sourcePort
        target.interface = draft.interface
        target.firewallMark = draft.firewallMark
        if let source = draft.sourceAddress, source.family != target.endpoint.address.family {
            reporter.error(
                .contradiction, at: parsed.place(of: "bindto"),
                "\(source) cannot be the source of probes of \(target.endpoint.address): it is of another family",
                remedy: "write a bindto of the family of connect_ip, or of the real server")
        }
        return target
    }

    private mutating func resolveSchedule(_ parsed: Parsed<CheckerDraft>) -> CheckSchedule {
        let draft = parsed.draft
        var schedule = CheckSchedule()
        schedule.delayLoop = draft.check.delayLoop
        schedule.connectTimeout = draft.check.connectTimeout
        schedule.warmup = draft.check.warmup ?? draft.check.delayLoop
        schedule.alpha = draft.check.alpha
        schedule.logAllFailures = draft.check.logAllFailures
        schedule.rise = draft.rise
        let standardRetry: Int
        let standardDelay: Duration
        switch draft.kind {
        case .dns: (standardRetry, standardDelay) = (3, draft.check.delayLoop)
        case .http, .ssl: (standardRetry, standardDelay) = (1, .seconds(3))
        case .misc: (standardRetry, standardDelay) = (0, .seconds(1))
        case .tcp, .smtp, .ping, .udp, .file, .bfd: (standardRetry, standardDelay) = (1, .seconds(1))
        }
        if draft.kind == .file || draft.kind == .bfd {
            // Its state is known at once, and from then on whenever it changes.
            (schedule.retry, schedule.warmup) = (0, .zero)
            if draft.kind == .file { schedule.alpha = false }
            return schedule
        }
        schedule.delayBeforeRetry = draft.check.delayBeforeRetry ?? standardDelay
        schedule.retry = draft.ownRetry ?? draft.check.retry ?? standardRetry
        if let fall = draft.fall {
            if let retry = draft.ownRetry, retry != fall - 1 {
                reporter.warning(
                    .contradiction, at: parsed.place(of: "fall"),
                    "fall \(fall) and retry \(retry) disagree; fall counts",
                    remedy: "fall N is the same as retry N - 1")
            }
            schedule.retry = fall - 1
        }
        return schedule
    }

    private mutating func resolveProbe(
        _ parsed: Parsed<CheckerDraft>, _ target: CheckTarget, _ configuration: Configuration
    ) -> Probe? {
        let draft = parsed.draft
        switch draft.kind {
        case .tcp: return .tcp
        case .ping: return .ping
        case .http: return .http(resolveHTTP(parsed, target, tls: nil))
        case .ssl: return .http(resolveHTTP(parsed, target, tls: draft.tls))
        case .smtp: return .smtp(heloName: draft.heloName)
        case .dns: return .dns(draft.dns)
        case .udp:
            if draft.udp.minimumReplyLength > draft.udp.maximumReplyLength {
                reporter.warning(
                    .contradiction, at: parsed.place(of: "min_reply_length"),
                    "no reply is long enough and short enough: the check always fails")
            }
            if draft.udp.reply.count > draft.udp.maximumReplyLength {
                reporter.error(
                    .contradiction, at: parsed.place(of: "require_reply"),
                    "require_reply has \(draft.udp.reply.count) octets, and max_reply_length is "
                        + "\(draft.udp.maximumReplyLength): no reply matches",
                    remedy: "raise max_reply_length, or shorten require_reply")
            }
            return .udp(draft.udp)
        case .misc:
            guard var command = draft.command else { return nil }
            if let user = draft.user { command.user = user }
            var probe = MiscProbe(command: command, timeout: draft.miscTimeout ?? draft.serviceDelayLoop)
            probe.isDynamic = draft.isDynamic
            return .misc(probe)
        case .file:
            guard let word = draft.trackFile else { return nil }
            guard let file = configuration.trackFiles.first(where: { $0.name == word.text }) else {
                sayUnknownReference(word, "track_file", configuration.trackFiles.map(\.name))
                return nil
            }
            // Without a weight of its own the file's counts, and its `reverse` with it.
            guard let weight = draft.weight, weight != 0 else {
                return .file(TrackedObject(file.name, weight: file.weight, isReversed: file.isReversed))
            }
            return .file(TrackedObject(file.name, weight: weight, isReversed: draft.isReversed ?? false))
        case .bfd:
            guard let word = draft.bfdSession else { return nil }
            return session(word, in: configuration, of: \.tellsCheckers, spelled: "checker").map { .bfd($0.name) }
        }
    }
}
