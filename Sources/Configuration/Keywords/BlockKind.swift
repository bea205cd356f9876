// The kinds of block. The keyword table says which keyword opens which inside which (`WordIndex.children`): so a missing `}` is found at the
// next block that cannot be where it stands, and lists (addresses, names) are not taken for keywords.

/// A kind of block. The raw value is what documentation calls it.
enum BlockKind: String, Sendable, CaseIterable {
    case file = "top level"
    case globalDefinitions = "global_defs"
    case script = "vrrp_script"
    case trackFile = "track_file"
    case trackProcess = "vrrp_track_process"
    case trackUnit = "track_unit"
    case syncGroup = "vrrp_sync_group"
    case garpGroup = "garp_group"
    case trackGroup = "track_group"
    case instance = "vrrp_instance"
    case authentication
    case authenticationHMAC = "auth_hmac"
    case bfd = "bfd_instance"
    case ssl = "SSL"
    case virtualServer = "virtual_server"
    case realServer = "real_server"
    case tcpCheck = "TCP_CHECK"
    case httpGet = "HTTP_GET"
    case sslGet = "SSL_GET"
    case url
    case smtpCheck = "SMTP_CHECK"
    case smtpHost = "host"
    case dnsCheck = "DNS_CHECK"
    case pingCheck = "PING_CHECK"
    case udpCheck = "UDP_CHECK"
    case miscCheck = "MISC_CHECK"
    case fileCheck = "FILE_CHECK"
    case bfdCheck = "BFD_CHECK"
    /// Lines that are not keywords: addresses, names, routes.
    case list
    /// A block whose keyword is not known; not looked into.
    case unknown
}
