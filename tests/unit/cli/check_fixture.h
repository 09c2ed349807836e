// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_UNIT_CLI_CHECK_FIXTURE_H_
#define EVENKEEL_TESTS_UNIT_CLI_CHECK_FIXTURE_H_

#include <string>

#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {

// Files of every outcome, for check's formats.
class CheckFormatTest : public CliTest {
 protected:
  std::string Good() { return WriteConfig("good.yaml", WebConfig(4)); }
  std::string Refused() { return WriteConfig("refused.yaml", WebConfig(1)); }

  // LB007 alone warns: 1 : 12.5.
  std::string Warned() {
    model::Config config = WebConfig(6);
    for (model::Backend& backend : config.pools[0].backends) backend.weight = 1000;
    config.pools[0].backends[5].weight = 80;
    return WriteConfig("warned.yaml", config);
  }

  // Two errors, in lines 5 and 6.
  std::string Broken() {
    return WriteFile("broken.yaml",
                     "vips: []\n"
                     "pools:\n"
                     "  - name: web\n"
                     "    backends: []\n"
                     "    backend: []\n"
                     "    table_size: many\n");
  }

  // LB007 refuses backend c.
  std::string WeightAtLine7() {
    return WriteFile("weights.yaml",
                     "vips: []\n"
                     "pools:\n"
                     "  - name: web\n"
                     "    backends:\n"
                     "      - {name: a, address: 10.0.1.1}\n"
                     "      - {name: b, address: 10.0.1.2}\n"
                     "      - {name: c, address: 10.0.1.3, weight: 65536}\n");
  }
};

}  // namespace evenkeel::cli

#endif  // EVENKEEL_TESTS_UNIT_CLI_CHECK_FIXTURE_H_
