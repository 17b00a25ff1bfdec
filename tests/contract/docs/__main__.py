"""`make docs`: renew what documents take from the code."""

from tests.contract.docs import generated
from tests.contract.docs.markdown import name_of

for path in generated.write():
    print(name_of(path))
