// The word index of one segment: a file of SQLite with a contentless FTS5 table (detail=none),
// whose rows are runs of kLinesPerRow lines. Row numbers are BLOCK * kRowsPerBlock + RUN.
//
// It is built at once, when its segment is closed, from words in the order of their rows, and never
// changed. It can be built again from the segment, so SQLite keeps no journal and syncs nothing:
// the caller syncs the file and then renames it. Blocks; one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace meridian::watch {

struct SqliteCloser {
  void operator()(sqlite3* database) const;
  void operator()(sqlite3_stmt* statement) const;
};
using SqliteDatabase = std::unique_ptr<sqlite3, SqliteCloser>;
using SqliteStatement = std::unique_ptr<sqlite3_stmt, SqliteCloser>;

// Errors of all functions: kUnavailable: the disk is full; kIo: any other, also a damaged file.
class WordIndexBuilder {
 public:
  // Replaces the file.
  static Result<WordIndexBuilder> Create(const std::string& path);

  // `words`: words (index/token.hpp), separated by spaces. Row numbers rise.
  Result<void> AddRow(uint32_t row, std::string_view words);
  Result<void> Finish();

 private:
  WordIndexBuilder(SqliteDatabase database, SqliteStatement insert)
      : database_(std::move(database)), insert_(std::move(insert)) {}

  SqliteDatabase database_;
  SqliteStatement insert_;  // is destroyed before the database
};

class WordIndex {
 public:
  static Result<WordIndex> Open(const std::string& path);

  // Appends the rows that have each of `words` (one at least), rising.
  Result<void> Find(const std::vector<std::string>& words, std::vector<uint32_t>* rows);

 private:
  explicit WordIndex(SqliteDatabase database) : database_(std::move(database)) {}

  SqliteDatabase database_;
};

}  // namespace meridian::watch
