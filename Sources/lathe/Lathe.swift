@main
enum Lathe {
  static func main() {}
}
