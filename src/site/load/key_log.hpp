// The keys that the parse functions read from their TableReaders: the source of the reference of
// site.toml. A ParsePass with a KeyLog reads no file. It reports every key as present, so that
// optional keys are read too. Each array of tables has one table, and each table whose keys the
// author names has the key kAnyName.
//
// Owned by one pass; one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace meridian::site {

struct KeyRead {
  std::string table;  // "dns.place"; empty for the root
  std::string key;
  std::string type;                     // "integer"; empty while the key was only tested by Has
  std::string limits;                   // "0 to 10"
  std::optional<std::string> fallback;  // spelled as in site.toml; nothing: required
};

struct TableRead {
  std::string table;
  std::string limits;  // of an array of tables: the number of tables
  bool in_array = false;
};

class KeyLog {
 public:
  // Each key is listed once, with the type of its first read.
  void AddKey(const KeyRead& read);
  void AddTable(const TableRead& read);

  const std::vector<KeyRead>& keys() const { return keys_; }
  const std::vector<TableRead>& tables() const { return tables_; }

 private:
  std::vector<KeyRead> keys_;
  std::vector<TableRead> tables_;
};

}  // namespace meridian::site
