// Checkers: schedule and target from checker, real server, virtual server and defaults; then what each kind asks. The
// defaults are those that keepalived 2.2.7 dumps for bare checkers.
import Net

extension Interpreter {
    /// One checker, or one for each `host` of an old SMTP_CHECK; none for what has no probe.
    mutating func resolveChecker(
        _ parsed: Parsed<CheckerDraft>, _ server: Endpoint, _ configuration: Configuration
    ) -> [CheckerConfiguration] {
        let target = resolveTarget(parsed.draft, server, parsed)
        guard let probe = resolveProbe(parsed, target, configuration) else { return [] }
        let schedule = resolveSchedule(parsed)
        settle(parsed) { draft in
            (draft.connectAddress, draft.connectPort) = (target.endpoint.address, target.endpoint.port)
            (draft.ownRetry, draft.fall) = (schedule.retry, schedule.fall)
            draft.check.delayBeforeRetry = schedule.delayBeforeRetry
            draft.check.warmup = schedule.warmup
        }
        if parsed.draft.kind == .smtp, !parsed.draft.smtpHosts.isEmpty {
            return parsed.draft.smtpHosts.map { host in
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
        var schedule = CheckSchedule()
        schedule.delayLoop = parsed.draft.check.delayLoop
        schedule.connectTimeout = parsed.draft.check.connectTimeout
        schedule.warmup = parsed.draft.check.warmup ?? parsed.draft.check.delayLoop
        schedule.alpha = parsed.draft.check.alpha
        schedule.logAllFailures = parsed.draft.check.logAllFailures
        schedule.rise = parsed.draft.rise
        let standardRetry: Int
        let standardDelay: Duration
        switch parsed.draft.kind {
        case .dns: (standardRetry, standardDelay) = (3, parsed.draft.check.delayLoop)
        case .http, .ssl: (standardRetry, standardDelay) = (1, .seconds(3))
        case .misc: (standardRetry, standardDelay) = (0, .seconds(1))
        case .tcp, .smtp, .ping, .udp, .file, .bfd: (standardRetry, standardDelay) = (1, .seconds(1))
        }
        if parsed.draft.kind == .file || parsed.draft.kind == .bfd {
            // Its state is known at once, and from then on whenever it changes.
            (schedule.retry, schedule.warmup) = (0, .zero)
            if parsed.draft.kind == .file { schedule.alpha = false }
            return schedule
        }
        schedule.delayBeforeRetry = parsed.draft.check.delayBeforeRetry ?? standardDelay
        schedule.retry = parsed.draft.ownRetry ?? parsed.draft.check.retry ?? standardRetry
        if let fall = parsed.draft.fall {
            if let retry = parsed.draft.ownRetry, retry != fall - 1 {
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
        switch parsed.draft.kind {
        case .tcp: return .tcp
        case .ping: return .ping
        case .http: return .http(resolveHTTP(parsed, target, tls: nil))
        case .ssl: return .http(resolveHTTP(parsed, target, tls: parsed.draft.tls))
        case .smtp: return .smtp(heloName: parsed.draft.heloName)
        case .dns: return .dns(parsed.draft.dns)
        case .udp:
            if parsed.draft.udp.minimumReplyLength > parsed.draft.udp.maximumReplyLength {
                reporter.warning(
                    .contradiction, at: parsed.place(of: "min_reply_length"),
                    "no reply is long enough and short enough: the check always fails")
            }
            if parsed.draft.udp.reply.count > parsed.draft.udp.maximumReplyLength {
                reporter.error(
                    .contradiction, at: parsed.place(of: "require_reply"),
                    "require_reply has \(parsed.draft.udp.reply.count) octets, and max_reply_length is "
                        + "\(parsed.draft.udp.maximumReplyLength): no reply matches",
                    remedy: "raise max_reply_length, or shorten require_reply")
            }
            return .udp(parsed.draft.udp)
        case .misc:
            guard var command = parsed.draft.command else { return nil }
            if let user = parsed.draft.user { command.user = user }
            var probe = MiscProbe(command: command, timeout: parsed.draft.miscTimeout ?? parsed.draft.serviceDelayLoop)
            probe.isDynamic = parsed.draft.isDynamic
            return .misc(probe)
        case .file:
            guard let word = parsed.draft.trackFile else { return nil }
            guard let file = trackFiles[word.text] else {
                sayUnknownReference(word, "track_file", configuration.trackFiles.map(\.name))
                return nil
            }
            // Without a weight of its own the file's counts, and its `reverse` with it.
            guard let weight = parsed.draft.weight, weight != 0 else {
                return .file(TrackedObject(file.name, weight: file.weight, isReversed: file.isReversed))
            }
            return .file(TrackedObject(file.name, weight: weight, isReversed: parsed.draft.isReversed ?? false))
        case .bfd:
            guard let word = parsed.draft.bfdSession else { return nil }
            return session(word, in: configuration, of: \.tellsCheckers, spelled: "checker").map { .bfd($0.name) }
        }
    }
}
