// The end of a transfer as a result of the probe: whose doing it was comes from curl's code (the table is `ek_curl_end_of`), from whether
// the server had been heard, and from how far its answer went. Total over all of them, and without any I/O, so that tests try them all.
import CCurl
import Configuration
import HealthCheck

/// How a transfer ended.
struct CurlAnswer {
    /// A CURLcode.
    let code: Int32
    /// 0 when no status line was understood.
    let status: Int
    /// errno of the connection's failure; 0 = none.
    let systemError: Int32
    /// curl's words.
    let text: String
    /// The request went out, or the server said something before.
    let wasHeard: Bool
    let headersAreComplete: Bool
    let isTruncated: Bool
    let digest: [UInt8]?
    let pattern: PatternAnswer?
    /// Where certificate, key and authorities come from.
    let files: [String]

    init(
        _ result: ek_result, wasHeard: Bool, headersAreComplete: Bool, isTruncated: Bool, digest: [UInt8]?,
        pattern: PatternAnswer? = nil, files: [String] = []
    ) {
        code = result.code
        status = result.status
        systemError = result.system_error
        text = withUnsafeBytes(of: result.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        self.wasHeard = wasHeard || result.was_sent != 0
        self.headersAreComplete = headersAreComplete
        self.isTruncated = isTruncated
        self.digest = digest
        self.pattern = pattern
        self.files = files
    }

    /// What it means for the checker that asked for `request`.
    func judged(by request: HTTPRequest) -> ProbeOutcome {
        switch ek_curl_end_of(code) {
        case EK_ANSWERED, EK_STOPPED: return judgedAnswer(by: request)
        case EK_ENCODED:
            // keepalived knows no encodings: the status counts, and a digest of what was not handed over cannot be right.
            return judgedAnswer(by: request)
        case EK_BROKEN where systemError != 0: return SystemFault.onTheWire(systemError)
        case EK_BROKEN:
            return .failure(.malformed(status == 0 && !headersAreComplete ? "closed without an answer" : text))
        case EK_TLS: return .failure(.tls(text))
        case EK_BAD: return .failure(.malformed(text))
        case EK_SLOW: return .failure(.timeout(.answer))
        case EK_HOST: return .inconclusive(.library(text))
        case EK_FILES: return .inconclusive(.library("\(files.joined(separator: ", ")): \(text)"))
        default:
            // A C enumeration: EK_EITHER, and whatever else C lets through.
            return wasHeard ? .failure(.malformed(text)) : .inconclusive(.library(text))
        }
    }

    private func judgedAnswer(by request: HTTPRequest) -> ProbeOutcome {
        guard headersAreComplete else { return .failure(.malformed("closed inside the headers")) }
        guard let status = UInt16(exactly: status), status > 0 else { return .failure(.malformed(text)) }
        return HTTPAnswer(status: status, digest: digest, pattern: pattern, isTruncated: isTruncated)
            .judged(by: request)
    }
}
