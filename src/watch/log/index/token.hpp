// The words and identifiers of a text: what the index knows, and what a search term means. Pure;
// any thread.
//
// TEXT. What is searched of an entry is its text; then, each behind a newline, its fields if it has
// any, and its trace id if neither has it. Letters A to Z are folded to a to z first; others are
// not folded.
//
// TOKEN. A token byte is a letter a to z, a digit, `_`, or any byte from 0x80 on. A token is a run
// of token bytes as long as possible. It is a WORD if it has no digit and at most kMaxWordBytes,
// else an IDENTIFIER. Two tokens with exactly one byte between them that is not white space are a
// JOINT if one of them at least is an identifier; its text includes the byte between: "10.1",
// "a:7".
//
// INDEX. Words go to the word index (FTS5), by rows of kLinesPerRow lines. Words, identifiers and
// joints go to a bloom filter for each block. So an address such as 10.1.2.3 is sought by its
// joints 10.1, 1.2 and 2.3, and an identifier such as a UUID by its tokens and joints.
//
// TERM. A search is a list of terms, separated by white space; an entry is found if its text has
// each of them. A text has a term if the folded term occurs in it as it is written, and neither end
// of the occurrence divides a token: where the term begins with a token byte, no token byte stands
// before the occurrence, and where it ends with one, none stands behind. (So `10.1.2.3` is found in
// "peer=10.1.2.3:80", and not in "110.1.2.3" or "10.1.2.30"; as `grep -iw` does it, but for letters
// that are not ASCII.) Each token and joint of the term is then one of the text, which is why the
// index may be asked first. What it answers is verified against the text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace meridian::watch {

// A longer word is an identifier: the index of words holds no encoded data.
constexpr size_t kMaxWordBytes = 40;

// Appends `text` with A to Z folded.
void AppendFolded(std::string& folded, std::string_view text);

bool IsTokenByte(char c);

struct Token {
  std::string_view text;
  std::string_view joint;  // with the token before; empty: they are no joint
  bool is_word = false;
};

// The tokens of a folded text, in order.
class TokenReader {
 public:
  explicit TokenReader(std::string_view folded) : text_(folded) {}

  // False: there is none any more.
  bool Next(Token* token);

 private:
  std::string_view text_;
  size_t at_ = 0;
  size_t previous_begin_ = 0;
  size_t previous_end_ = 0;  // 0: there is no token before
  bool previous_is_word_ = false;
};

// The first occurrence of `part`, which is not empty, in `text` from `from` on; npos: none.
size_t FindText(std::string_view text, std::string_view part, size_t from);

// The first occurrence of the folded `term` in the folded `text` from `from` on that divides no
// token; npos: none. `term` is not empty.
size_t FindTerm(std::string_view text, std::string_view term, size_t from);

}  // namespace meridian::watch
