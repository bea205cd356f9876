// What a url wants to know of a body, worked out as it comes: its MD5, and whether its `regex` is in it.
import CCrypto
import CPcre
import Configuration
import HealthCheck

/// The body of one answer so far.
final class HTTPBody {
    private var digest: OpaquePointer?
    private var regex: OpaquePointer?

    /// Throws when a library cannot be loaded, or the pattern is none.
    init(for request: HTTPRequest) throws(ProbeObstacle) {
        var problem = [CChar](repeating: 0, count: 256)
        if request.digest != nil {
            digest = ek_md5_new(&problem, problem.count)
            if digest == nil { throw ProbeObstacle(.library(text(problem))) }
        }
        if let wanted = request.regex {
            let options = wanted.options.reduce(0) { $0 | ek_regex_option($1) }
            regex = ek_regex_new(
                wanted.pattern, options, wanted.minimumOffset, wanted.maximumOffset ?? Int.max, &problem, problem.count)
            if regex == nil { throw ProbeObstacle(.library(text(problem))) }
        }
    }

    deinit {
        if digest != nil { ek_md5_free(digest) }
        ek_regex_free(regex)
    }

    func take(_ octets: UnsafeRawBufferPointer) {
        guard octets.count > 0 else { return }
        if digest != nil { ek_md5_update(digest, octets.baseAddress, octets.count) }
        if regex != nil { _ = ek_regex_feed(regex, octets.baseAddress, octets.count) }
    }

    /// MD5 of all octets; nil when nobody wants it. Once.
    func finishedDigest() -> [UInt8]? {
        guard digest != nil else { return nil }
        var octets = [UInt8](repeating: 0, count: Int(EK_MD5_LENGTH))
        return ek_md5_finish(digest, &octets) == 1 ? octets : nil
    }

    /// What came of looking for the pattern; nil when there is none.
    func finishedPattern() -> PatternAnswer? {
        guard regex != nil else { return nil }
        switch ek_regex_finish(regex) {
        case EK_REGEX_FOUND: return .found
        case EK_REGEX_TOO_HARD: return .tooHard
        case EK_REGEX_TOO_LONG: return .tooLong
        case EK_REGEX_BAD_TEXT: return .badText
        default: return .nowhere  // A C enumeration: EK_REGEX_NOWHERE.
        }
    }
}
