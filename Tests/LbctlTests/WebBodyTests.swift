// The bodies that readers hold.
import Testing

@testable import lbctl

@Suite(.serialized) struct WebBodyTests {
    @Test func `octets count as long as somebody reads them`() {
        let before = WebBody.octetsAlive
        var one: WebBody? = WebBody([1, 2, 3])
        let same = one
        let none = WebBody([])
        #expect(WebBody.octetsAlive - before == 3 && none.octets.count == 0)
        one = nil
        #expect(WebBody.octetsAlive - before == 3 && same?.octets.elementsEqual([1, 2, 3]) == true)
        _ = consume same
        #expect(WebBody.octetsAlive == before)
    }
}
