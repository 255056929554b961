// What the parse functions ask of their TableReaders, key by key: the raw material of the reference
// of site.toml. A ParsePass that has a KeyLog reads no file. Every key is then said to be there, so
// that keys which are read only where they are given are asked for too; each array of tables has
// one table, and each table of the author's own names has the name kAnyName.
//
// Belongs to one pass, on one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace meridian::site {

struct KeyRead {
  std::string table;  // "dns.place"; empty for the root
  std::string key;
  std::string type;                     // "integer"; empty while the key was only looked for
  std::string limits;                   // "0 to 10"
  std::optional<std::string> fallback;  // as site.toml would write it; nothing: required
};

struct TableRead {
  std::string table;
  std::string limits;  // of an array of tables: how many of them
  bool in_array = false;
};

class KeyLog {
 public:
  // Each key stands once, as it was read first with its type.
  void AddKey(const KeyRead& read);
  void AddTable(const TableRead& read);

  const std::vector<KeyRead>& keys() const { return keys_; }
  const std::vector<TableRead>& tables() const { return tables_; }

 private:
  std::vector<KeyRead> keys_;
  std::vector<TableRead> tables_;
};

}  // namespace meridian::site
