// The routers of a director. A record is large, and only parts of it are looked at for a packet: an array lets them be read in place, where
// a dictionary's values are copied out whole.

/// Records by router.
struct RouterTable {
    /// A record's place, until a router comes or goes.
    typealias Index = Int

    /// The records, by place.
    var values: ContiguousArray<Director.Router> = []
    private var places: [RouterID: Index] = [:]

    /// Where a router's record is.
    func index(forKey id: RouterID) -> Index? { places[id] }

    /// A router's record; nil = there is no such router.
    subscript(id: RouterID) -> Director.Router? {
        get { places[id].map { values[$0] } }
        set {
            switch (places[id], newValue) {
            case (let place?, let router?): values[place] = router
            case (nil, let router?):
                places[id] = values.count
                values.append(router)
            case (let place?, nil): remove(at: place)
            case (nil, nil): break
            }
        }
    }

    private mutating func remove(at place: Index) {
        places[values[place].id] = nil
        let last = values.removeLast()
        guard place < values.count else { return }
        values[place] = last
        places[last.id] = place
    }
}
