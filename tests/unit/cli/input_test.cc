// SPDX-License-Identifier: Apache-2.0
#include "control/cli/input.h"

#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

class InputTest : public CliTest {
 protected:
  ConfigFile TwoPools() {
    return ReadConfigFile(WriteFile("two.yaml",
                                    "vips: []\n"
                                    "pools:\n"
                                    "  - name: api\n"
                                    "    backends: [{name: a, address: 10.0.0.1}]\n"
                                    "  - name: web\n"
                                    "    backends:\n"
                                    "      - {name: b, address: 10.0.0.2}\n"
                                    "      - {name: c, address: 10.0.0.3}\n"));
  }
};

TEST_F(InputTest, FindsTheViolationsPlaceByThePoolsName) {
  const ConfigFile file = TwoPools();
  ASSERT_TRUE(file.ok()) << file.errors[0].ToString();
  struct {
    const char *name, *pool, *field;
    uint32_t line;
  } const cases[] = {
      {"index as in the file", "web", "pools[1].backends[1].weight", 8},
      {"index of another order", "web", "pools[7].backends[1]", 8},
      {"the pool itself", "web", "pools[0]", 5},
      {"pool without field", "api", "", 3},
      {"pool that the file lacks", "mail", "pools[0].backends[0]", 0},
      {"no pool, no field", "", "", 0},
  };
  for (const auto& c : cases) {
    guard::Violation violation;
    violation.pool = c.pool;
    violation.field = c.field;
    EXPECT_EQ(Locate(file, violation).line, c.line) << c.name;
  }
}

TEST_F(InputTest, FindsTheDiagnosticsPlace) {
  const ConfigFile file = TwoPools();
  EXPECT_EQ(Locate(file, model::Diagnostic{{}, "pools[1].backends[0]", "m"}, "").line, 7u);
  EXPECT_EQ(Locate(file, model::Diagnostic{{}, "pool.backends[0]", "m"}, "web").line, 7u);
  EXPECT_EQ(Locate(file, model::Diagnostic{{}, "pools[0].backends[0]", "m"}, "web").line, 7u);
  EXPECT_EQ(Locate(file, model::Diagnostic{{}, "reason", "m"}, "web").line, 0u);
}

TEST_F(InputTest, MissingFileIsAnErrorThatNamesIt) {
  const ConfigFile file = ReadConfigFile(Path("none.yaml"));
  ASSERT_EQ(file.errors.size(), 1u);
  EXPECT_EQ(file.errors[0].location.file, Path("none.yaml"));
  EXPECT_FALSE(file.errors[0].message.starts_with(Path("none.yaml"))) << "named twice";
}

}  // namespace
}  // namespace evenkeel::cli
