// URLs of `lbctl check digest`.
import Net
import Testing

@testable import lbctl

@Suite struct PageAddressTests {
    private func page(_ url: String) -> PageAddress? {
        PageAddress(url) { $0 == "www.example.com" ? IPAddress("192.0.2.7") : nil }
    }

    @Test(
        arguments: [
            ("http://192.0.2.1", "192.0.2.1:80", "/", nil),
            ("http://192.0.2.1:8080/a?b=c", "192.0.2.1:8080", "/a?b=c", nil),
            ("https://[2001:db8::1]/x", "[2001:db8::1]:443", "/x", nil),
            ("https://www.example.com:8443/", "192.0.2.7:8443", "/", "www.example.com"),
        ] as [(String, String, String, String?)])
    func `a page is a server, a path and perhaps a name`(url: String, target: String, path: String, name: String?) {
        #expect(page(url)?.target.description == target)
        #expect(page(url)?.path == path && page(url)?.name == name)
        #expect(page(url)?.isTLS == url.hasPrefix("https"))
    }

    @Test(arguments: [
        "", "192.0.2.1/", "http://192.0.2.1/a b", "http://192.0.2.1/a\r\nX: y", "http://192.0.2.1/\u{7F}",
        "ftp://192.0.2.1/", "http://nowhere.example/", "http://www.example.com:x/", "http://",
    ])
    func `what is no page is none`(url: String) { #expect(page(url) == nil) }
}
