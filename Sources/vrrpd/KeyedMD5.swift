// HMAC-MD5 (RFC 2104) by libcrypto, for `auth_type AH` only: a vrrpd without such an instance does not load the library. It takes a few
// allocations for each advertisement, which authentication by password or none does not.

import CCrypto

/// HMAC-MD5.
enum KeyedMD5 {
    private static let block = 64

    /// 16 octets; nil where libcrypto is missing or refuses MD5 (FIPS mode).
    static func digest(key: [UInt8], message: [UInt8]) -> [UInt8]? {
        guard let short = key.count > block ? sum([key]) : key else { return nil }
        let padded = short + [UInt8](repeating: 0, count: block - short.count)
        guard let inner = sum([padded.map { $0 ^ 0x36 }, message]) else { return nil }
        return sum([padded.map { $0 ^ 0x5C }, inner])
    }

    private static func sum(_ parts: [[UInt8]]) -> [UInt8]? {
        var problem = [CChar](repeating: 0, count: 128)
        guard let digest = ek_md5_new(&problem, problem.count) else { return nil }
        defer { ek_md5_free(digest) }
        for part in parts { ek_md5_update(digest, part, part.count) }
        var octets = [UInt8](repeating: 0, count: Int(EK_MD5_LENGTH))
        return ek_md5_finish(digest, &octets) == 1 ? octets : nil
    }
}
