#include "watch/log/index/word_index.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/scratch_dir.hpp"

namespace meridian::watch {
namespace {

using testing::ElementsAre;

class WordIndexTest : public testing::Test {
 protected:
  void Build(const std::vector<std::string>& rows) {
    Result<WordIndexBuilder> builder = WordIndexBuilder::Create(path_);
    ASSERT_TRUE(builder);
    for (size_t i = 0; i < rows.size(); ++i)
      ASSERT_TRUE(builder->AddRow(static_cast<uint32_t>(i * 3), rows[i]));
    ASSERT_TRUE(builder->Finish());
  }
  std::vector<uint32_t> Find(const std::vector<std::string>& words) const {
    Result<WordIndex> index = WordIndex::Open(path_);
    CHECK(index);
    std::vector<uint32_t> rows;
    CHECK(index->Find(words, &rows));
    return rows;
  }

  ScratchDir scratch_;
  std::string path_ = scratch_ / "a?b%20 #.words";
};

TEST_F(WordIndexTest, FindsTheRowsThatHaveAllWords) {
  Build({"one two", "two three", "", "größe one_two and", "three two one"});
  EXPECT_THAT(Find({"two"}), ElementsAre(0, 3, 12));
  EXPECT_THAT(Find({"two", "one"}), ElementsAre(0, 12));
  EXPECT_THAT(Find({"größe"}), ElementsAre(9));
  EXPECT_THAT(Find({"one_two"}), ElementsAre(9));
  EXPECT_THAT(Find({"absent"}), ElementsAre());
}

TEST_F(WordIndexTest, WordsOfTheQueryLanguageAreWords) {
  Build({"and or not near", "text words rowid"});
  EXPECT_THAT(Find({"and", "or", "not", "near"}), ElementsAre(0));
  EXPECT_THAT(Find({"rowid", "words"}), ElementsAre(3));
}

TEST_F(WordIndexTest, ReplacesAFileThatIsThere) {
  std::ofstream(path_) << "not a database";
  Build({"one"});
  EXPECT_THAT(Find({"one"}), ElementsAre(0));
}

TEST_F(WordIndexTest, ADamagedFileIsAnError) {
  Build({"one"});
  std::filesystem::resize_file(path_, 100);
  Result<WordIndex> index = WordIndex::Open(path_);
  std::vector<uint32_t> rows;
  EXPECT_FALSE(index && index->Find({"one"}, &rows));
}

TEST_F(WordIndexTest, AFolderThatIsNotThereIsAnError) {
  EXPECT_FALSE(WordIndexBuilder::Create(scratch_ / "none/a.words"));
  EXPECT_FALSE(WordIndex::Open(scratch_ / "none.words"));
}

}  // namespace
}  // namespace meridian::watch
