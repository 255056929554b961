#include "watch/log/index/word_index.hpp"

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sqlite3.h>
#include <unistd.h>

#include "base/result.hpp"

namespace meridian::watch {
namespace {

// FTS5 gathers up to so many bytes in memory before it writes: all of a segment, so that nothing
// has to be merged.
constexpr const char* kCreate = R"(
  PRAGMA journal_mode=OFF;
  PRAGMA synchronous=OFF;
  PRAGMA locking_mode=EXCLUSIVE;
  CREATE VIRTUAL TABLE words USING fts5(
    text, content='', columnsize=0, detail=none, tokenize="ascii tokenchars '_'");
  INSERT INTO words(words, rank) VALUES ('automerge', 0);
  INSERT INTO words(words, rank) VALUES ('hashsize', 67108864);
  BEGIN;
)";

std::unexpected<Error> Failure(sqlite3* database, std::string_view what) {
  bool is_full = sqlite3_errcode(database) == SQLITE_FULL;
  return Fail(is_full ? Errc::kUnavailable : Errc::kIo, "word index: {}: {}", what,
              sqlite3_errmsg(database));
}

Result<SqliteDatabase> OpenDatabase(const std::string& path, int flags) {
  sqlite3* opened = nullptr;
  int status = sqlite3_open_v2(path.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  SqliteDatabase database(opened);
  if (status != SQLITE_OK) return Failure(database.get(), path);
  return database;
}

Result<SqliteStatement> Prepare(sqlite3* database, std::string_view text) {
  sqlite3_stmt* prepared = nullptr;
  int status =
      sqlite3_prepare_v2(database, text.data(), static_cast<int>(text.size()), &prepared, nullptr);
  SqliteStatement statement(prepared);
  if (status != SQLITE_OK) return Failure(database, "prepare");
  return statement;
}

// `path` within a URI.
std::string EscapedPath(std::string_view path) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string escaped;
  for (char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      escaped += '%';
      escaped += kDigits[static_cast<uint8_t>(c) >> 4];
      escaped += kDigits[static_cast<uint8_t>(c) & 15];
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace

void SqliteCloser::operator()(sqlite3* database) const { sqlite3_close_v2(database); }
void SqliteCloser::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<WordIndexBuilder> WordIndexBuilder::Create(const std::string& path) {
  ::unlink(path.c_str());
  Result<SqliteDatabase> database = OpenDatabase(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!database) return Fail(database.error());
  if (sqlite3_exec(database->get(), kCreate, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return Failure(database->get(), path);
  }
  Result<SqliteStatement> insert =
      Prepare(database->get(), "INSERT INTO words(rowid, text) VALUES (?1, ?2)");
  if (!insert) return Fail(insert.error());
  return WordIndexBuilder(std::move(*database), std::move(*insert));
}

Result<void> WordIndexBuilder::AddRow(uint32_t row, std::string_view words) {
  sqlite3_bind_int64(insert_.get(), 1, row);
  sqlite3_bind_text(insert_.get(), 2, words.data(), static_cast<int>(words.size()), SQLITE_STATIC);
  int status = sqlite3_step(insert_.get());
  sqlite3_reset(insert_.get());
  if (status != SQLITE_DONE) return Failure(database_.get(), "insert");
  return {};
}

Result<void> WordIndexBuilder::Finish() {
  if (sqlite3_exec(database_.get(), "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK) {
    return Failure(database_.get(), "commit");
  }
  insert_.reset();
  database_.reset();
  return {};
}

Result<WordIndex> WordIndex::Open(const std::string& path) {
  // Nobody changes the file: no locks, and no look for a journal.
  std::string uri = "file:" + EscapedPath(path) + "?immutable=1";
  Result<SqliteDatabase> database = OpenDatabase(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  if (!database) return Fail(database.error());
  return WordIndex(std::move(*database));
}

Result<void> WordIndex::Find(const std::vector<std::string>& words, std::vector<uint32_t>* rows) {
  // A quoted word is a string of FTS5's query language; words have no quotes.
  std::string match;
  for (const std::string& word : words) {
    if (!match.empty()) match += " AND ";
    match += '"' + word + '"';
  }
  Result<SqliteStatement> select =
      Prepare(database_.get(), "SELECT rowid FROM words WHERE words MATCH ?1 ORDER BY rowid");
  if (!select) return Fail(select.error());
  sqlite3_bind_text(select->get(), 1, match.data(), static_cast<int>(match.size()), SQLITE_STATIC);
  int status = sqlite3_step(select->get());
  for (; status == SQLITE_ROW; status = sqlite3_step(select->get())) {
    rows->push_back(static_cast<uint32_t>(sqlite3_column_int64(select->get(), 0)));
  }
  if (status != SQLITE_DONE) return Failure(database_.get(), "search");
  return {};
}

}  // namespace meridian::watch
