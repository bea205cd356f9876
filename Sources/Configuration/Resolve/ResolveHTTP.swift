// HTTP_GET and SSL_GET: the requests with their Host headers, and the name that TLS is told. A Host header may carry a port or
// be anything the server understands; a name for TLS may not.
import Net

extension Interpreter {
    /// The probe; `tls` is nil for HTTP_GET.
    mutating func resolveHTTP(
        _ parsed: Parsed<CheckerDraft>, _ target: CheckTarget, tls: HTTPProbe.TLS?
    ) -> HTTPProbe {
        let draft = parsed.draft
        var tls = tls
        // A server with several certificates shows the right one only to who names it.
        if draft.serverName != nil || tls?.verifies == true { tls?.sendsServerName = true }
        if let authorities = tls?.authorities { files.append((parsed.place(of: "ca"), authorities)) }
        if tls?.authorities == nil { tls?.authorities = clientIdentity?.authorities }
        tls?.identity = clientIdentity.flatMap { draft in
            draft.certificate.map {
                HTTPProbe.ClientIdentity(certificate: $0, key: draft.key, password: draft.password)
            }
        }
        let urls = draft.urls.compactMap { page -> HTTPRequest? in
            let url = page.draft
            guard var path = url.path else { return nil }
            if !path.hasPrefix("/") {
                reporter.warning(
                    .adjusted, at: page.place(of: "path"), "a path begins with a slash; /\(path) is used")
                path = "/" + path
            }
            let host = url.virtualHost ?? draft.ownVirtualHost ?? draft.check.virtualHost?.text
            for (text, word) in [(path, page.place(of: "path")), (host ?? "", page.place(of: "virtualhost"))]
            where text.utf8.contains(where: { $0 != UInt8(ascii: " ") && !HTTPRequest.isPrintable($0) }) {
                reporter.error(
                    .badValue, at: word, "\(quoted(text)) has control characters, which would end the request's line",
                    remedy: "write them percent-encoded in a path, and leave them out of a virtualhost")
            }
            var request = HTTPRequest(path: path, host: host ?? "\(target.endpoint)")
            if tls?.sendsServerName == true { request.serverName = resolveServerName(page, parsed) }
            request.digest = url.digest
            request.regex = url.pattern.map { pattern in
                var regex = RegexCheck(pattern: pattern)
                regex.isInverted = url.isInverted
                regex.options = url.regexOptions
                regex.minimumOffset = url.minimumOffset
                regex.maximumOffset = url.maximumOffset
                check(regex, page)
                return regex
            }
            if !url.statusCodes.isEmpty { request.statusCodes = url.statusCodes }
            return request
        }
        var probe = HTTPProbe(urls: urls, tls: tls)
        probe.version = draft.httpVersion
        probe.fastRecovery = draft.fastRecovery
        return probe
    }

    /// What can be said of a pattern before there is a body; the machine is asked later whether it is one.
    private mutating func check(_ regex: RegexCheck, _ page: Parsed<URLDraft>) {
        if let last = regex.maximumOffset, last < regex.minimumOffset {
            reporter.error(
                .contradiction, at: page.place(of: "regex_max_offset"),
                "a match would begin from octet \(regex.minimumOffset) to \(last): there is none",
                remedy: "write a regex_max_offset that is not below regex_min_offset")
        }
        patterns.append((page.place(of: "regex"), regex))
    }

    /// Keeps the `SSL` block for the SSL_GETs that follow.
    mutating func resolveClientIdentity(_ parsed: Parsed<ClientIdentityDraft>?) {
        clientIdentity = parsed?.draft
        for (word, path) in [
            ("ca", parsed?.draft.authorities), ("certificate", parsed?.draft.certificate), ("key", parsed?.draft.key),
        ] {
            if let parsed, let path { files.append((parsed.place(of: word), path)) }
        }
        guard let parsed, parsed.draft.certificate == nil, parsed.draft.key != nil else { return }
        reporter.error(
            .missingKeyword, at: parsed.place(of: "key"), "SSL has a key and no certificate",
            remedy: "add certificate FILE; the key may be in the same file")
    }

    /// `sni_name`, else the virtualhost of the page, the checker or the virtual server, without a port; an error where it can
    /// be no server's name.
    private mutating func resolveServerName(_ page: Parsed<URLDraft>, _ parsed: Parsed<CheckerDraft>) -> String? {
        let draft = parsed.draft
        let source: (text: String, word: Word)
        if let name = draft.serverName {
            source = (name, parsed.place(of: "sni_name"))
        } else if let host = page.draft.virtualHost {
            source = (host, page.place(of: "virtualhost"))
        } else if let host = draft.ownVirtualHost {
            source = (host, parsed.place(of: "virtualhost"))
        } else if let word = draft.serviceVirtualHost {
            source = (word.text, word)
        } else {
            return nil
        }
        guard let name = serverName(in: source.text) else {
            reporter.error(
                .badValue, at: source.word, "\(quoted(source.text)) cannot be the name of a TLS server",
                remedy:
                    "add sni_name NAME, a host name such as www.example.com; virtualhost then is only the Host header")
            return nil
        }
        return name
    }
}

/// The host of `HOST[:PORT]` as a URL has it (an IPv6 address in brackets); nil when it is neither an address nor a host name
/// (RFC 1123 §2.1; underscores are common and do no harm).
func serverName(in text: String) -> String? {
    if IPv6Address(text) != nil { return "[\(text)]" }
    var host = text[...]
    if let colon = text.lastIndex(of: ":"), UInt16(text[text.index(after: colon)...]) != nil { host = text[..<colon] }
    if host.hasPrefix("["), host.hasSuffix("]") {
        return IPv6Address(String(host.dropFirst().dropLast())) == nil ? nil : String(host)
    }
    if host.hasSuffix(".") { host.removeLast() }
    let labels = host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    let isName = labels.allSatisfy { label in
        (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
            && label.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: "-") }
    }
    return isName && host.utf8.count <= 253 ? String(host) : nil
}
